// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import Logging
import Manager
import Orchestration

/// A manager as it is, without its port: store, control loop, and the service that nodes call.
struct ManagerSide: Sendable {
  let store: Store
  let service: NodeService
  let loop: ControlLoop
  let token: String

  init(store: Store) async throws {
    self.store = store
    let logger = Logger(label: "manager") { _ in SwiftLogNoOpLogHandler() }
    loop = ControlLoop(store: store, logger: logger, now: Self.now)
    // A certificate here says no more than whose it is.
    let secrets = ClusterSecrets(sign: { _, node, _, _ in node }, sealer: NoSecrets())
    service = NodeService(ownID: "manager", store: store, loop: loop, secrets: secrets, logger: logger, now: Self.now)
    var generator = SystemRandomNumberGenerator()
    let digest = [UInt8](repeating: 7, count: 32)
    let tokens = Cluster.JoinTokens(
      worker: JoinToken.make(digest: digest, using: &generator), manager: JoinToken.make(digest: digest, using: &generator))
    token = tokens.worker
    try await store.transaction { transaction in
      transaction.put(
        Cluster(
          id: "cluster", spec: .defaults, createdAt: .zero, joinTokens: tokens, trustRoot: "", defaultAddrPool: ["10.0.0.0/8"],
          subnetSize: 24, dataPathPort: 4_789, ingressPool: IPv4Subnet(base: IPv4Address(bits: 10 << 24), prefix: 8)))
    }
  }

  /// Until cancelled.
  func run() async {
    async let loop: Void = loop.run()
    await service.run()
    await loop
  }

  private static let start = ContinuousClock.now

  static func now() -> Now {
    let uptime = start.duration(to: .now)
    return Now(wall: Timestamp(nanoseconds: 1_700_000_000_000_000_000) + uptime, uptime: uptime)
  }
}

private struct NoSecrets: Sealer {
  func seal(_ secret: [UInt8], of owner: String) throws -> Sealed { Sealed(bytes: secret) }
  func open(_ sealed: Sealed, of owner: String) throws -> [UInt8] { sealed.bytes }
}
