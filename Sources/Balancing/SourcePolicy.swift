// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// Whose connections reach their endpoint with the client's own address as source.
///
/// Clients outside do; those inside (this host and its containers) come from this host instead: replies to them would not come
/// back to the relay but go straight to the client, who knows nothing of them.
package struct SourcePolicy: Hashable, Sendable {
  /// False while the host's rules for the replies are not in force: then nobody's address is kept.
  package var keeps: Bool
  /// Sorted and without repetition, so that equal policies compare as equal.
  package let inside: [IPv4Subnet]

  package init(keeps: Bool, inside: some Sequence<IPv4Subnet>) {
    self.keeps = keeps
    self.inside = Set(inside).sorted { ($0.base, $0.prefix) < ($1.base, $1.prefix) }
  }

  package static let none = SourcePolicy(keeps: false, inside: [])

  /// The address to connect from; `nil` is this host's own. Endpoints have IPv4 only, so IPv6 clients are never kept.
  package func source(for client: ClientAddress) -> IPv4Address? {
    guard keeps, let address = client.ipv4, !inside.contains(where: { $0.contains(address) }) else { return nil }
    return address
  }
}

extension SourcePolicy {
  package func encode(into writer: inout BinaryWriter) {
    writer.write(UInt8(keeps ? 1 : 0))
    writer.write(UInt32(inside.count))
    for subnet in inside {
      writer.write(subnet.base.bits)
      writer.write(UInt8(subnet.prefix))
    }
  }

  package init(from reader: inout BinaryReader) throws(BinaryCodingError) {
    let keeps: UInt8 = try reader.read()
    guard keeps <= 1 else { throw BinaryCodingError(.invalidValue, "source policy \(keeps)") }
    var inside: [IPv4Subnet] = []
    for _ in 0..<(try reader.readCount(elementsOf: 5)) {
      let base = IPv4Address(bits: try reader.read())
      let prefix: UInt8 = try reader.read()
      guard prefix <= 32 else { throw BinaryCodingError(.invalidValue, "prefix length \(prefix)") }
      inside.append(IPv4Subnet(base: base, prefix: Int(prefix)))
    }
    self.init(keeps: keeps == 1, inside: inside)
  }
}
