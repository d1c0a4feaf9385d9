// SPDX-License-Identifier: Apache-2.0

extension ClusterSpec {
  /// The only name there is; empty means it.
  package func checkName() throws(SpecError) {
    guard ["", "default"].contains(name ?? "") else { throw SpecError("swarm spec must be named \"default\"") }
  }

  package func validate() throws(SpecError) {
    for authority in caConfig.externalCAs ?? [] {
      let name = authority.objectValue?.member(ignoringCase: "Protocol")?.stringValue ?? ""
      guard name == "cfssl" else { throw SpecError("invalid protocol: \(name.goQuoted)") }
    }
    if let expiry = caConfig.nodeCertExpiry, expiry != 0, expiry < 3_600_000_000_000 {
      throw .invalidArgument("minimum certificate expiry time is: 1h0m0s")
    }
    if (dispatcher.heartbeatPeriod ?? 0) < 0 { throw .invalidArgument("heartbeat time period cannot be a negative duration") }
    if encryptionConfig.autoLockManagers { throw .unsupported("locked managers (autolock)") }
    if caConfig.externalCAs?.isEmpty == false { throw .unsupported("external certificate authorities") }
  }
}

extension NodeSpec {
  package static let availabilities = ["active", "pause", "drain"]

  /// The spec with role and availability in lower case. Both must be given.
  package func checked() throws(SpecError) -> NodeSpec {
    var spec = self
    spec.role = role.lowercased()
    spec.availability = availability.lowercased()
    guard ["worker", "manager"].contains(spec.role) else { throw SpecError("invalid Role: \(role.goQuoted)") }
    guard Self.availabilities.contains(spec.availability) else {
      throw SpecError("invalid Availability: \(availability.goQuoted)")
    }
    return spec
  }
}
