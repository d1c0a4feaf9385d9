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

    #expect(read.digest == made.digest)
    #expect(made.digest.count == 32)
    #expect(made.isWhole)
    let other = try CertificateAuthority.make(now: 1_700_000_000)
    #expect(try !CertificateAuthority(certificatePEM: made.certificatePEM, keyPEM: other.keyPEM).isWhole)
    #expect(made.certificatePEM.hasPrefix("-----BEGIN CERTIFICATE-----\n"))
  }
}
