// SPDX-License-Identifier: Apache-2.0

/// The first checks of a service spec: what swarm's front end finds when it converts the JSON. No prefix in these messages.
extension ServiceSpec {
  /// The spec as it is stored: an absent mode is one replica.
  package func withMode() -> ServiceSpec {
    var spec = self
    if mode.global == nil, mode.replicatedJob == nil, mode.globalJob == nil {
      spec.mode.replicated = .init(replicas: mode.replicated?.replicas ?? 1)
    }
    return spec
  }

  package func checkConversion() throws(SpecError) {
    try taskTemplate.checkConversion()
    try updateConfig?.checkConversion()
    try rollbackConfig?.checkConversion()
    if let resolution = endpointSpec?.mode, !["", "vip", "dnsrr"].contains(resolution) {
      throw SpecError("invalid resolution mode: \(resolution.goQuoted)")
    }
    let modes = [mode.replicated != nil, mode.global != nil, mode.replicatedJob != nil, mode.globalJob != nil]
    guard modes.count(where: { $0 }) < 2 else { throw SpecError("must specify only one service mode") }
  }
}

extension TaskSpec {
  fileprivate func checkConversion() throws(SpecError) {
    switch runtime ?? "" {
    case "", "container":
      guard let containerSpec else { throw SpecError("mismatched Runtime and *Spec fields") }
      try containerSpec.checkConversion()
    case "plugin":
      guard pluginSpec != nil, containerSpec == nil else { throw SpecError("mismatched Runtime and *Spec fields") }
    default: throw SpecError("unsupported runtime")
    }
    let condition = restartPolicy?.condition ?? ""
    guard ["", "none", "on-failure", "any"].contains(condition) else {
      throw SpecError("invalid RestartCondition: \(condition.goQuoted)")
    }
  }
}

extension ContainerSpec {
  fileprivate func checkConversion() throws(SpecError) {
    try privileges?.checkConversion()
    for mount in mounts ?? [] {
      let type = mount.type.filled("bind")
      guard Mount.types.contains(type.lowercased()) else { throw SpecError("invalid MountType: \(type.goQuoted)") }
      let propagation = (mount.bindOptions?.propagation).filled("rprivate")
      guard Mount.propagations.contains(propagation.lowercased()) else {
        throw SpecError("invalid MountPropagation: \(propagation.goQuoted)")
      }
    }
  }
}

extension UpdateConfig {
  fileprivate func checkConversion() throws(SpecError) {
    let action = failureAction ?? ""
    guard ["", "pause", "continue", "rollback"].contains(action) else {
      throw SpecError("unrecognized update failure action \(action)")
    }
    let order = order ?? ""
    guard ["", "stop-first", "start-first"].contains(order) else { throw SpecError("unrecognized update order \(order)") }
  }
}
