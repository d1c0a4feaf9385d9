// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Identity

@Suite("The cluster's identity")
struct IdentityTests {
  @Test("an authority is read back from its PEM texts")
  func authority() throws {
    let made = try CertificateAuthority.make(now: 1_700_000_000)
    let read = try CertificateAuthority(certificatePEM: made.certificatePEM, keyPEM: made.keyPEM)
    #expect(read.certificatePEM == made.certificatePEM)
    #expect(read.subjectDER == made.subjectDER)
    #expect(made.certificatePEM.hasPrefix("-----BEGIN CERTIFICATE-----\n"))
  }

  @Test("a token has swarm's form and names the authority")
  func token() throws {
    var generator = SystemRandomNumberGenerator()
    let token = JoinToken(certificatePEM: "some certificate", using: &generator)
    #expect("\(token)".wholeMatch(of: /SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25}/) != nil)
    #expect(JoinToken("\(token)") == token)
    #expect(token.digest == JoinToken.digest(of: "some certificate"))
  }

  @Test("what is no token is refused", arguments: ["", "SWMTKN-1-a-b", "SWMTKN-2-1-x-y", "nonsense"])
  func noToken(text: String) { #expect(JoinToken(text) == nil) }
}
