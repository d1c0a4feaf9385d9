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
  let store: Store
  let authority: ClusterAuthority
  let service: NodeService
  let logger: Logger

  private static let retry = Duration.seconds(5)
  /// Far more often than the shortest certificate needs.
  private static let look = Duration.seconds(300)

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
      group.addTask { await follow(credentials, server) }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  /// Never stored: whoever has the authority's key makes another at each start.
  private func credentials() async throws -> NodeCredentials {
    guard let cluster = await store.read(\.cluster) else { throw StateError(description: "there is no cluster yet") }
    let key = NodeKey.make()
    let certificate = try authority.sign(try key.signingRequest(), for: nodeID, isManager: true, of: cluster)
    return try NodeCredentials(key: key, certificatePEM: certificate, root: try TrustRoot(pem: cluster.trustBundle))
  }

  /// Shows another certificate when the cluster's root has changed, and long before the present one ends.
  private func follow(_ first: NodeCredentials, _ server: ManagerServer) async {
    let (changes, change) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    change.yield()
    let watcher = await store.watch(change)
    await withDiscardingTaskGroup { group in
      group.addTask { while (try? await Task.sleep(for: Self.look)) != nil { change.yield() } }
      var (shown, generator) = (first, SystemRandomNumberGenerator())
      var due = shown.renewal(using: &generator)
      for await _ in changes {
        guard let cluster = await store.read(\.cluster) else { continue }
        guard shown.root.pem != cluster.trustBundle || due <= SystemClock.now().wall else { continue }
        do {
          shown = try await credentials()
          try server.show(shown)
          due = shown.renewal(using: &generator)
          try authority.forgetOthers(cluster)
        } catch {
          logger.error("the manager's certificate could not be renewed", metadata: ["error": "\(error)"])
          try? await Task.sleep(for: Self.retry)
          change.yield()
        }
      }
      group.cancelAll()
    }
    await store.stopWatching(watcher)
  }
}
