// SPDX-License-Identifier: Apache-2.0

/// The first checks of a service spec: what swarm's front end finds when it converts the JSON. No prefix in these messages.
extension ServiceSpec {
  /// The spec as it is stored: an absent mode is one replica, and a job of one task at a time runs as many as run at a time.
  package func withMode() -> ServiceSpec {
    var spec = self
    if let job = mode.replicatedJob {
      let concurrent = job.maxConcurrent ?? 1
      spec.mode.replicatedJob = .init(maxConcurrent: concurrent, totalCompletions: job.totalCompletions ?? concurrent)
    }
    if mode.global == nil, mode.replicatedJob == nil, mode.globalJob == nil {
      spec.mode.replicated = .init(replicas: mode.replicated?.replicas ?? 1)
    }
    return spec
  }

  package func checkConversion() throws(SpecError) {
    try taskTemplate.checkConversion()
    if taskTemplate.runtime == "plugin", mode.replicated != nil { throw SpecError("plugins must not use replicated mode") }
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
      guard pluginSpec != nil else { throw SpecError("mismatched Runtime and *Spec fields") }
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
    if let isolation, !["", "default", "process", "hyperv"].contains(isolation.lowercased()) {
      throw SpecError("invalid Isolation: \(isolation.goQuoted)")
    }
    try privileges?.checkConversion()
    try checkConfigTargets()
    for mount in mounts ?? [] { try mount.checkConversion() }
  }
}

extension Mount {
  private static let propagations = ["", "private", "rprivate", "shared", "rshared", "slave", "rslave"]

  /// Without a type it is a bind.
  fileprivate func checkConversion() throws(SpecError) {
    let type = type ?? ""
    guard ["", "bind", "volume", "tmpfs", "npipe", "cluster"].contains(type.lowercased()) else {
      throw SpecError("invalid MountType: \(type.goQuoted)")
    }
    let propagation = bindOptions?.propagation ?? ""
    guard Self.propagations.contains(propagation.lowercased()) else {
      throw SpecError("invalid MountPropagation: \(propagation.goQuoted)")
    }
  }
}

extension Privileges {
  /// Swarm takes an unknown mode for the default, which for security is refused here.
  fileprivate func checkConversion() throws(SpecError) {
    let (seccompMode, appArmorMode) = (seccomp?.mode ?? "", appArmor?.mode ?? "")
    guard ["", "default", "unconfined", "custom"].contains(seccompMode) else {
      throw SpecError("invalid Seccomp mode: \(seccompMode.goQuoted)")
    }
    guard ["", "default", "disabled"].contains(appArmorMode) else {
      throw SpecError("invalid AppArmor mode: \(appArmorMode.goQuoted)")
    }
    try checkProfile()
    try checkCredentials()
  }

  /// Go reads the profile as bytes.
  private func checkProfile() throws(SpecError) {
    guard let profile = seccomp?.profile, Base64.decode(profile) == nil else { return }
    let start = profile.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "+" || $0 == "/") }
    throw SpecError("invalid JSON: illegal base64 data at input byte \(start.count)")
  }

  private func checkCredentials() throws(SpecError) {
    guard let spec = credentialSpec else { return }
    let given = [("config", spec.config), ("file", spec.file), ("registry", spec.registry)].filter { !$0.1.isEmpty }
    let names = given.map(\.0.goQuoted)
    switch names.count {
    case 0: throw SpecError(#"invalid CredentialSpec: must either provide "file", "registry", or "config" for credential spec"#)
    case 1: return
    case 2: throw SpecError("invalid CredentialSpec: cannot specify both \(names[0]) and \(names[1]) credential specs")
    default:
      let text = "cannot specify both \(names[0]), \(names[1]), and \(names[2]) credential specs"
      throw SpecError("invalid CredentialSpec: \(text)")
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
