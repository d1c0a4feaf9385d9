// SPDX-License-Identifier: Apache-2.0

import PlaygroundKit
import Testing

extension Cluster {
  private func issuers() async throws -> Set<String> {
    Set(
      try await fixture.docker(
        "node", "inspect", "--format", "{{.Description.TLSInfo.CertIssuerPublicKey}} {{.Description.TLSInfo.TrustRoot}}", "n1",
        "n2",
        "n3"
      ).split(separator: "\n\n").map(String.init))
  }

  private func isRotating() async throws -> Bool {
    try await fixture.docker("info", "--format", "{{.Swarm.Cluster.RootRotationInProgress}}") == "true"
  }

  /// The cluster gets another root while its hosts work; nothing restarts, and a host that was away meanwhile holds it up.
  func rotation() async throws {
    let root = try await fixture.docker("swarm", "ca")
    let safe = try await tasks().filter { !$0.contains(" n3 ") }.map { $0.prefix { $0 != " " } }
    let token = try await fixture.docker("swarm", "join-token", "--quiet", "worker")
    #expect(
      try await fixture.refusal("swarm", "ca", "--rotate", "--cert-expiry", "30m").contains(
        "rpc error: code = InvalidArgument desc = minimum certificate expiry time is: 1h0m0s"))
    #expect(
      try await fixture.refusal("swarm", "update", "--external-ca", "protocol=cfssl,url=https://ca.test").contains(
        "external certificate authorities are not supported"))
    #expect(try await fixture.docker("swarm", "ca") == root)

    let shown = try await fixture.docker("swarm", "ca", "--rotate", "--cert-expiry", "1h")
    let next = try await fixture.docker("swarm", "ca")
    #expect(next != root && shown.contains(next), "\(shown)")
    #expect(try await issuers().count == 1)
    #expect(try await fixture.docker("swarm", "join-token", "--quiet", "worker").dropLast(26) != token.dropLast(26))

    try await n3.cut()
    try await fixture.docker("swarm", "ca", "--rotate", "--detach", "--quiet")
    try await fixture.wait("n2 has the next one") { try await issuers().count == 3 }
    #expect(try await isRotating())
    try await n3.heal()
    try await fixture.wait("all have it", .seconds(60)) {
      let (isOver, issuers) = (try await !isRotating(), try await issuers())
      return isOver && issuers.count == 1
    }
    #expect(try await fixture.docker("swarm", "ca") != next)
    try await fixture.wait("all are there") { try await states() == "n1 Ready, n2 Ready, n3 Ready" }
    // The cut may have been long enough to replace what n3 had; nothing else has moved.
    let after = try await ids()
    #expect(safe.allSatisfy(after.contains), "\(after) without some of \(safe)")
  }
}
