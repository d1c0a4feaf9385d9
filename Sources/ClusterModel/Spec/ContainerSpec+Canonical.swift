// SPDX-License-Identifier: Apache-2.0

extension ContainerSpec {
  func canonical() -> ContainerSpec {
    var spec = self
    spec.isolation = isolation.flatMap { ["", "default"].contains($0.lowercased()) ? nil : $0.lowercased() }
    spec.tty = tty.ifTrue
    spec.openStdin = openStdin.ifTrue
    spec.readOnly = readOnly.ifTrue
    spec.oomScoreAdj = oomScoreAdj.unlessZero
    spec.privileges = privileges?.canonical()
    spec.healthcheck = healthcheck?.canonical()
    spec.mounts = mounts?.map { $0.canonical() }
    return spec
  }
}

extension Privileges {
  fileprivate func canonical() -> Privileges {
    var privileges = self
    privileges.seccomp?.mode = seccomp?.mode.or("default")
    privileges.appArmor?.mode = appArmor?.mode.or("default")
    return privileges
  }
}

extension ContainerSpec.Healthcheck {
  fileprivate func canonical() -> Self {
    Self(
      test: test, interval: interval.unlessZero, timeout: timeout.unlessZero, startPeriod: startPeriod.unlessZero,
      startInterval: startInterval.unlessZero, retries: retries.unlessZero)
  }
}

extension Mount {
  fileprivate func canonical() -> Mount {
    var mount = self
    mount.type = type.or("bind").lowercased()
    mount.readOnly = readOnly.ifTrue
    // Nothing comes of it on Linux, and swarm does not keep it.
    mount.consistency = nil
    mount.bindOptions = bindOptions?.canonical()
    mount.volumeOptions?.noCopy = volumeOptions?.noCopy.ifTrue
    mount.tmpfsOptions?.sizeBytes = tmpfsOptions?.sizeBytes.unlessZero
    mount.tmpfsOptions?.mode = tmpfsOptions?.mode.unlessZero
    return mount
  }
}

extension Mount.BindOptions {
  /// `nil` when they say nothing.
  fileprivate func canonical() -> Self? {
    var options = self
    options.nonRecursive = nonRecursive.ifTrue
    options.createMountpoint = createMountpoint.ifTrue
    options.readOnlyNonRecursive = readOnlyNonRecursive.ifTrue
    options.readOnlyForceRecursive = readOnlyForceRecursive.ifTrue
    options.propagation = nil
    if propagation.or("").isEmpty, options == Self() { return nil }
    options.propagation = propagation.or("rprivate").lowercased()
    return options
  }
}
