// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import Identity
import Synchronization
import Testing

@testable import ClusterTransport

@Suite("The way into a cluster", .timeLimit(.minutes(1)))
struct EntryTests {
  private static func token(_ rig: Rig) -> String {
    var generator = SystemRandomNumberGenerator()
    return JoinToken.make(digest: rig.root.digest, using: &generator)
  }

  private func refusal(_ body: () async throws -> Void) async -> String? {
    do {
      try await body()
      return nil
    } catch { return "\(error)" }
  }

  @Test("a host whose clock is more than an hour off is told both times, and sends no secret", arguments: [-3_601, 3_601])
  func clock(seconds: Int) async throws {
    let rig = try Rig()
    try await rig.serving { port in
      let here = Rig.now + .seconds(seconds)
      let said = await refusal {
        _ = try await Entry.enter("127.0.0.1:\(port)", token: Self.token(rig), availability: "active", now: { here })
      }
      #expect(said == "this host's clock says \(here), and the manager's says \(Rig.now): set it right, then join")
    }
    #expect(rig.service.calls == ["root -"])
  }

  @Test("a cluster with another root than the token's gets no secret")
  func foreign() async throws {
    let (rig, other) = (try Rig(), try Rig())
    try await rig.serving { port in
      let said = await refusal {
        _ = try await Entry.enter("127.0.0.1:\(port)", token: Self.token(other), availability: "active", now: { Rig.now })
      }
      #expect(said == "remote CA does not match fingerprint. Expected: \(JoinToken.hexadecimal(other.root.digest))")
    }
    #expect(rig.service.calls == ["root -"])
  }

  @Test("nobody at the address is said so")
  func nobody() async throws {
    let rig = try Rig()
    let said = await refusal {
      _ = try await Entry.enter("127.0.0.1:1", token: Self.token(rig), availability: "active", now: { Rig.now })
    }
    #expect(
      said?.hasPrefix("rpc error: code = Unavailable desc = connection error: the manager at 127.0.0.1:1 cannot be reached")
        == true)
  }

  @Test(
    "a host that joins while the root is replaced believes both; when the first answer is lost it asks again with the same key")
  func duringRotation() async throws {
    let rig = try Rig()
    let next = try CertificateAuthority.make(now: 1_700_000_000)
    let rotation = try rig.authority.rotation(to: next)
    let requests = Mutex<[String]>([])
    let both = rig.authority.certificatePEM + next.certificatePEM
    rig.service.state.withLock { state in
      state.issue = { request in
        let isFirst = requests.withLock { requests in
          requests.append(request.signingRequest)
          return requests.count == 1
        }
        if isFirst { throw RPCFailure(.unavailable, "lost") }
        let identity = NodeIdentity(clusterID: "c1", nodeID: "w1", role: .worker)
        let certificate = try next.issue(
          to: identity, request: request.signingRequest, now: Rig.now, validity: .seconds(3_600))
        return .init(certificate: certificate, trust: both, crossSigned: rotation.crossSigned)
      }
    }
    try await rig.serving { port in
      let (credentials, manager) = try await Entry.enter(
        "127.0.0.1:\(port)", token: Self.token(rig), availability: "active", now: { Rig.now })
      #expect(credentials.identity.nodeID == "w1" && credentials.root.pem == both)
      #expect(manager == .init(nodeID: "", addr: "127.0.0.1:\(port)"))
    }
    let asked = requests.withLock { $0 }
    #expect(asked.count == 2 && Set(asked).count == 1)
  }
}
