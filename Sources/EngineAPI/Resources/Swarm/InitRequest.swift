// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// The body of `POST /swarm/init`.
package struct InitRequest: Codable, Sendable {
  package var listenAddr: String?
  package var advertiseAddr: String?
  package var dataPathAddr: String?
  package var dataPathPort: Int
  package var forceNewCluster: Bool
  package var spec: ClusterSpec
  package var autoLockManagers: Bool
  package var availability: String?
  package var defaultAddrPool: [String]?
  package var subnetSize: Int

  /// Checks in swarm's order. `system` are this host's addresses.
  package func checked(system: [SystemAddress], version: APIVersion) throws(SpecError) -> SwarmInit {
    guard listenAddr?.isEmpty == false else { throw SpecError("invalid ListenAddr \"\": invalid empty address") }
    try spec.checkName()
    let addresses = try SwarmAddresses(
      listen: listenAddr ?? "", advertise: advertiseAddr ?? "", dataPath: dataPathAddr ?? "", system: system)
    let knowsPools = version >= APIVersion(1, 39)
    let pools = try AddressPools(
      pools: knowsPools ? defaultAddrPool ?? [] : [],
      // Swarm looks at the size only when there is a list of pools, be it empty.
      subnetSize: knowsPools && defaultAddrPool != nil ? subnetSize : 0,
      dataPathPort: version >= APIVersion(1, 40) ? dataPathPort : 0)
    let availability = (availability ?? "").isEmpty ? "active" : (availability ?? "").lowercased()
    guard NodeSpec.availabilities.contains(availability) else {
      throw SpecError("invalid Availability: \((self.availability ?? "").goQuoted)")
    }
    var spec = spec.mergedOverDefaults()
    if autoLockManagers { spec.encryptionConfig.autoLockManagers = true }
    try spec.validate()
    return SwarmInit(addresses: addresses, pools: pools, spec: spec, availability: availability)
  }
}
