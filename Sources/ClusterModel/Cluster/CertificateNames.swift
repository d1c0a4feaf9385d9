// SPDX-License-Identifier: Apache-2.0

/// The two fields of a root certificate that the Engine API shows beside it, still in DER (RFC 5280, 4.1).
package struct CertificateNames: Sendable, Hashable {
  package let subject: [UInt8]
  package let publicKey: [UInt8]

  /// `nil` when the text holds no certificate that can be read.
  package init?(pem: String) {
    let begin = "-----BEGIN CERTIFICATE-----", end = "-----END CERTIFICATE-----"
    guard let from = pem.firstRange(of: begin), let to = pem[from.upperBound...].firstRange(of: end),
      let der = Base64.decode(pem[from.upperBound..<to.lowerBound])
    else { return nil }
    self.init(der: der)
  }

  private init?(der: [UInt8]) {
    var certificate = DERReader(der[...])
    guard var outer = certificate.next(0x30)?.reader, var body = outer.next(0x30)?.reader else { return nil }
    _ = body.next(0xA0)
    // Serial number, signature algorithm, issuer, validity.
    guard body.next(0x02) != nil, body.next(0x30) != nil, body.next(0x30) != nil, body.next(0x30) != nil else { return nil }
    guard let subject = body.next(0x30), let key = body.next(0x30) else { return nil }
    self.subject = Array(subject.whole)
    publicKey = Array(key.whole)
  }
}

/// Reads tag, length, value; nothing more of DER is needed.
private struct DERReader {
  struct Element {
    var whole: ArraySlice<UInt8>
    var content: ArraySlice<UInt8>
    var reader: DERReader { DERReader(content) }
  }

  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  /// The next element if it has this tag; otherwise nothing is consumed.
  mutating func next(_ tag: UInt8) -> Element? {
    guard rest.first == tag, let (length, header) = length() else { return nil }
    let content = rest.dropFirst(header).prefix(length)
    guard content.count == length else { return nil }
    defer { rest = rest.dropFirst(header + length) }
    return Element(whole: rest.prefix(header + length), content: content)
  }

  private func length() -> (length: Int, header: Int)? {
    guard let first = rest.dropFirst().first else { return nil }
    guard first >= 0x80 else { return (Int(first), 2) }
    let count = Int(first & 0x7F)
    let bytes = rest.dropFirst(2).prefix(count)
    guard (1...3).contains(count), bytes.count == count else { return nil }
    return (bytes.reduce(0) { $0 << 8 | Int($1) }, 2 + count)
  }
}
