// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Identity

/// The authority's key; while its root is being replaced, the next one's beside it in the same file.
extension StateDirectory {
  /// Why the key of the authority with this certificate cannot be used; `nil` when it can. Nothing on one host needs it, a second would.
  func keyProblem(certificate: String) -> String? {
    guard let keys = try? keys() else { return "\(keyPath) is missing or unreadable" }
    return Self.authority(certificate, keys) == nil ? "\(keyPath) is not the key of this cluster's certificate" : nil
  }

  /// The authority with this certificate; `nil` when its key is not there.
  func authority(certificate: String) -> CertificateAuthority? { (try? keys()).flatMap { Self.authority(certificate, $0) } }

  func writeKey(_ pem: String) throws { try write(pem, to: keyPath) }

  /// Beside those that are there.
  func addKey(_ pem: String) throws { try write((try keys() + [pem]).map(Self.line).joined(), to: keyPath) }

  /// Forgets keys of other certificates than these. None is forgotten while one of these has none.
  func forgetKeys(otherThanOf certificates: Set<String>) throws {
    let keys = try keys()
    let needed = keys.filter { key in certificates.contains { Self.authority($0, [key]) != nil } }
    guard needed.count == certificates.count, needed.count < keys.count else { return }
    try write(needed.map(Self.line).joined(), to: keyPath)
  }

  private func keys() throws -> [String] {
    let begin = "-----BEGIN "
    return try String(contentsOfFile: keyPath, encoding: .utf8).components(separatedBy: begin).dropFirst().map { begin + $0 }
  }

  private static func authority(_ certificate: String, _ keys: [String]) -> CertificateAuthority? {
    keys.lazy.compactMap { try? CertificateAuthority(certificatePEM: certificate, keyPEM: $0) }.first(where: \.isWhole)
  }

  private static func line(_ text: String) -> String { text.hasSuffix("\n") ? text : text + "\n" }
}
