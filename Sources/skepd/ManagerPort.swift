// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterTransport
import Identity
import Logging
import Manager

/// This manager's port for other nodes, and the certificate it shows there.
struct ManagerPort: Sendable {
  let host: String
  let port: UInt16
  let nodeID: String
  let root: TrustRoot
  let service: NodeService
  let logger: Logger
  /// Signs the request (PEM) of this manager's own key.
  let sign: @Sendable (String) async throws -> String

  private static let retry = Duration.seconds(5)

  /// Fires when nodes can connect, or when the first attempt to listen has failed.
  let opened = OneShot()

  /// Until cancelled. One that cannot listen tries again: services of this host run on without.
  func run() async {
    var failure: String?
    while !Task.isCancelled {
      do { try await serve() } catch {
        opened.fire()
        if Task.isCancelled { return }
        if failure != "\(error)" {
          logger.error(
            "other hosts can neither join nor be managed: this manager cannot listen",
            metadata: ["address": "\(HostPort.join(host, port))", "error": "\(error)"])
        }
        failure = "\(error)"
      }
      try? await Task.sleep(for: Self.retry)
    }
  }

  private func serve() async throws {
    let credentials = try await credentials()
    let server = try ManagerServer(
      host: host, port: port, credentials: credentials, service: service, now: { SystemClock.now().wall })
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await server.run { port in
          logger.info("listening for nodes", metadata: ["address": "\(HostPort.join(host, port))"])
          opened.fire()
        }
      }
      group.addTask { await renew(credentials, server) }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  /// Never stored: whoever has the authority's key makes another at each start.
  private func credentials() async throws -> NodeCredentials {
    let key = NodeKey.make()
    return try NodeCredentials(key: key, certificatePEM: try await sign(try key.signingRequest()), root: root)
  }

  private func renew(_ first: NodeCredentials, _ server: ManagerServer) async {
    var (shown, generator) = (first, SystemRandomNumberGenerator())
    while !Task.isCancelled {
      let due = shown.renewal(using: &generator) - SystemClock.now().wall
      guard (try? await Task.sleep(for: min(max(due, .zero), .seconds(3_600)))) != nil else { return }
      guard due <= .seconds(3_600) else { continue }
      do {
        shown = try await credentials()
        try server.show(shown)
      } catch {
        logger.error("the manager's certificate could not be renewed", metadata: ["error": "\(error)"])
        try? await Task.sleep(for: Self.retry)
      }
    }
  }
}
