// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// The mark of a connection whose endpoint the packet filter, and not the relay, has chosen: a bit, and which endpoint it is.
package enum OffloadMark {
  package static let bit: UInt32 = 0x0200_0000
  /// All of the above; other bits are others'.
  package static let mask: UInt32 = 0x02FF_FFFF

  /// All addresses of the ingress pool begin with the same byte.
  package static func of(_ address: IPv4Address) -> UInt32 { bit | address.bits & 0x00FF_FFFF }
}
