// SPDX-License-Identifier: Apache-2.0

/// The pools that an init request asks for, checked.
package struct AddressPools: Sendable, Hashable {
  package let pools: [String]
  package let subnetSize: Int
  package let dataPathPort: Int

  /// Empty and zero mean swarm's defaults.
  package init(pools: [String], subnetSize: Int, dataPathPort: Int) throws(SpecError) {
    let size = subnetSize == 0 ? 24 : subnetSize
    guard (1...29).contains(size) else { throw SpecError("subnet size is out of range: \(subnetSize)") }
    try Self.check(pools, size)
    guard dataPathPort == 0 || (1_024...49_151).contains(dataPathPort) else {
      throw SpecError("Datapath port number is not in valid range (1024-49151) : \(dataPathPort)")
    }
    self.pools = pools.isEmpty ? ["10.0.0.0/8"] : pools
    self.subnetSize = size
    self.dataPathPort = dataPathPort == 0 ? 4_789 : dataPathPort
  }

  private static func check(_ pools: [String], _ size: Int) throws(SpecError) {
    var seen: [IPv4Subnet] = []
    for text in pools {
      guard let pool = IPv4Subnet(text) else { throw SpecError("invalid CIDR: \(text.goQuoted)") }
      guard pool.prefix <= size else {
        throw SpecError("invalid CIDR: \(text.goQuoted). Subnet size is too small for pool: \(size)")
      }
      if let other = seen.first(where: pool.overlaps) {
        throw SpecError("invalid CIDR: \(text.goQuoted). It overlaps with \("\(other)".goQuoted)")
      }
      seen.append(pool)
    }
  }
}
