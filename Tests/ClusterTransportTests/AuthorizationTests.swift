// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import ClusterRPC
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Identity
import Synchronization
import Testing

@testable import ClusterTransport

@Suite("Who may call what", .timeLimit(.minutes(1)))
struct AuthorizationTests {
  /// What became of a call: `served`, or the refusal's code.
  private static func outcome(_ method: RPCMethod, _ channel: ManagerChannel, as node: String?) async -> String {
    let name = SessionName(nodeID: node ?? "", session: "s1")
    let description = NodeDescription(
      hostname: "h", platform: .init(architecture: "x86_64", os: "linux"), resources: .init(nanoCPUs: 1, memoryBytes: 1),
      engine: .init(engineVersion: "1"))
    struct Enough: Error {}
    let isHeard = Mutex(false)
    do {
      switch method {
      case .rootCertificate: _ = try await channel.root()
      case .issueCertificate: _ = try await channel.issueCertificate(.init(signingRequest: ""))
      case .register: _ = try await channel.register(.init(description: description, statuses: [:]), as: name)
      case .updateStatuses: try await channel.update(.init([:]), as: name)
      case .reportTraffic: try await channel.report(.init(TrafficReport(generation: 1)), as: name)
      case .attach:
        // The service's own answer: whoever hears it was let in.
        do { _ = try await channel.attach(.init(container: "c", network: "n"), as: name) } catch let error as RPCFailure {
          guard error.message == "network n not manually attachable" else { throw error }
        }
      case .reportContainers: try await channel.report(.init(), as: name)
      case .goodbye: try await channel.goodbye(.init(lease: nil), as: name)
      case .heartbeat:
        let (beats, beat) = AsyncStream.makeStream(of: Void.self)
        do {
          try await channel.heartbeats(as: name) {
            for await _ in beats { throw Enough() }
            try Task.checkCancellation()
          } hear: { _ in
            isHeard.withLock { $0 = true }
            beat.yield()
          }
        } catch  where isHeard.withLock({ $0 }) {}
      case .logRequests:
        do {
          try await channel.logRequests(as: name) { _ in
            isHeard.withLock { $0 = true }
            throw Enough()
          }
        } catch  where isHeard.withLock({ $0 }) {}
      case .publishLog: try await channel.publish(Rig.wish("t1"), as: name, from: FewLines(["a"]))
      case .assignments:
        do {
          try await channel.assignments(as: name) { _ in
            isHeard.withLock { $0 = true }
            throw Enough()
          }
        } catch  where isHeard.withLock({ $0 }) {}
      }
      return "served"
    } catch let failure as RPCFailure {
      return failure.code.rawValue
    } catch { return "served" }
  }

  private static let ofNodes = RPCMethod.allCases.filter { if case .ownNode = $0.access { true } else { false } }
  private static let ofAnybody = RPCMethod.allCases.filter { !ofNodes.contains($0) }

  @Test("a worker's certificate opens every call for its own node, and none for another's")
  func workers() async throws {
    let rig = try Rig()
    let first = Assignment(
      clusterID: "c1", nodeID: "w1", term: 1, tasks: [], ingressSubnet: nil, table: EndpointTable(generation: 1))
    rig.service.state.withLock { state in
      state.first = first
      state.wishes = [Rig.wish("t1")]
    }
    try await rig.serving { port in
      let worker = try rig.credentials("w1")
      try await ManagerChannel.with(to: "127.0.0.1:\(port)", as: rig.member(worker), now: { Rig.now }) { channel in
        for method in RPCMethod.allCases {
          #expect(await Self.outcome(method, channel, as: "w1") == "served", "\(method)")
        }
        for method in Self.ofNodes {
          #expect(await Self.outcome(method, channel, as: "w2") == "PermissionDenied", "\(method)")
          #expect(await Self.outcome(method, channel, as: nil) == "PermissionDenied", "\(method)")
        }
      }
    }
    #expect(!rig.service.calls.contains { $0.hasSuffix("w2") })
  }

  @Test("a host that joins may ask for the root and a certificate, and for nothing else")
  func joining() async throws {
    let rig = try Rig()
    try await rig.serving { port in
      let address = "127.0.0.1:\(port)"
      try await ManagerChannel.with(to: address, as: .joining(NodeKey.make(), rig.root), now: { Rig.now }) { channel in
        for method in Self.ofAnybody { #expect(await Self.outcome(method, channel, as: nil) == "served", "\(method)") }
        for method in Self.ofNodes {
          #expect(await Self.outcome(method, channel, as: "w1") == "PermissionDenied", "\(method)")
        }
      }
    }
    #expect(Set(rig.service.calls) == ["root -", "issue -"])
  }

  @Test("a foreign certificate, an expired one, one of another cluster and none at all are not even let in")
  func strangers() async throws {
    let rig = try Rig()
    let other = try CertificateAuthority.make(now: 1_700_000_000)
    let refused = [
      try rig.credentials("w1", by: other), try rig.credentials("w1", at: Rig.now + .seconds(-7_200)),
      try rig.credentials("w1", cluster: "c2"),
    ]
    try await rig.serving { port in
      for credentials in refused {
        try await ManagerChannel.with(to: "127.0.0.1:\(port)", as: rig.member(credentials), now: { Rig.now }) { channel in
          // One of each kind of call: the connection itself is refused.
          for method in [RPCMethod.rootCertificate, .issueCertificate, .heartbeat, .assignments] {
            #expect(await Self.outcome(method, channel, as: "w1") == "Unavailable", "\(method)")
          }
        }
      }
      try await Self.withoutCertificate(port) { channel in
        for method in [RPCMethod.rootCertificate, .issueCertificate, .heartbeat, .assignments] {
          #expect(await Self.outcome(method, channel, as: "w1") == "Unavailable", "\(method)")
        }
      }
    }
    #expect(rig.service.calls.isEmpty)
  }

  @Test("every refusal is by the one table: each caller, each call")
  func table() {
    let worker = Caller.node(NodeIdentity(clusterID: "c1", nodeID: "w1", role: .worker))
    let manager = Caller.node(NodeIdentity(clusterID: "c1", nodeID: "m1", role: .manager))
    for method in RPCMethod.allCases {
      let isOpen = Self.ofAnybody.contains(method)
      #expect(Self.admitted(.stranger, method, "w1") == (isOpen ? "nobody" : "refused"), "\(method)")
      #expect(Self.admitted(worker, method, "w1") == "w1")
      #expect(Self.admitted(manager, method, "m1") == "m1")
      #expect(Self.admitted(worker, method, "w2") == (isOpen ? "w1" : "refused"), "\(method)")
      #expect(Self.admitted(worker, method, nil) == (isOpen ? "w1" : "refused"), "\(method)")
    }
  }

  private static func admitted(_ caller: Caller, _ method: RPCMethod, _ claimed: String?) -> String {
    do { return try Authorization.admit(caller, to: method, claiming: claimed) ?? "nobody" } catch { return "refused" }
  }

  @Test("a certificate that ends while its connection is open opens nothing any more")
  func endsMeanwhile() throws {
    let rig = try Rig()
    let authorization = Authorization(root: rig.root, clusterID: "c1")
    let leaf = try NodeCredentials.der(of: try rig.credentials("w1").certificatePEM)
    #expect(throws: Never.self) { try authorization.caller(leaf, now: Rig.now) }
    #expect(throws: RPCFailure.self) { try authorization.caller(leaf, now: Rig.now + .seconds(3_601)) }
    #expect(throws: RPCFailure.self) { try authorization.caller(nil, now: Rig.now) }
  }

  @Test("a node that was removed is told so, whatever it asks")
  func removed() async throws {
    let rig = try Rig()
    rig.service.state.withLock { _ = $0.removed.insert("w1") }
    try await rig.serving { port in
      let worker = try rig.credentials("w1")
      try await ManagerChannel.with(to: "127.0.0.1:\(port)", as: rig.member(worker), now: { Rig.now }) { channel in
        for method in RPCMethod.allCases {
          #expect(await Self.outcome(method, channel, as: "w1") == "PermissionDenied", "\(method)")
        }
      }
    }
  }

  @Test("a node believes only a manager of its own cluster: neither another cluster's, nor a worker that listens")
  func impostors() async throws {
    let rig = try Rig()
    let other = try Rig()
    try await other.serving { port in
      let worker = try rig.credentials("w1")
      try await ManagerChannel.with(to: "127.0.0.1:\(port)", as: rig.member(worker), now: { Rig.now }) { channel in
        #expect(await Self.outcome(.rootCertificate, channel, as: "w1") == "Unavailable")
      }
    }
    #expect(other.service.calls.isEmpty)
  }

  /// TLS with no certificate to show.
  private static func withoutCertificate(_ port: UInt16, _ body: @Sendable (ManagerChannel) async throws -> Void) async throws {
    let transport = try HTTP2ClientTransport.Posix(
      target: .ipv4(address: "127.0.0.1", port: Int(port)),
      transportSecurity: .tls { $0.serverCertificateVerification = .noVerification })
    let channel = ManagerChannel(client: GRPCClient(transport: transport))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await channel.run() }
      defer { group.cancelAll() }
      try await body(channel)
    }
  }
}
