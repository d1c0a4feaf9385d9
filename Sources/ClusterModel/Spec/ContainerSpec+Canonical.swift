// SPDX-License-Identifier: Apache-2.0

extension ContainerSpec {
  /// See `ServiceSpec.canonical()`.
  func canonical() -> ContainerSpec {
    var spec = self
    spec.isolation = ["hyperv", "process"].first { $0 == isolation?.lowercased() }
    spec.tty = tty.ifTrue
    spec.openStdin = openStdin.ifTrue
    spec.readOnly = readOnly.ifTrue
    spec.oomScoreAdj = oomScoreAdj.nonZero
    spec.privileges = privileges?.canonical()
    spec.healthcheck = healthcheck?.canonical()
    spec.mounts = mounts?.map { $0.canonical() }
    return spec
  }
}

extension ContainerSpec.Healthcheck {
  fileprivate func canonical() -> ContainerSpec.Healthcheck {
    var check = self
    check.interval = interval.nonZero
    check.timeout = timeout.nonZero
    check.startPeriod = startPeriod.nonZero
    check.startInterval = startInterval.nonZero
    check.retries = retries.nonZero
    return check
  }
}

extension Mount {
  package static let types = ["bind", "volume", "tmpfs", "npipe", "cluster"]
  package static let propagations = ["rprivate", "private", "rshared", "shared", "rslave", "slave"]

  fileprivate func canonical() -> Mount {
    var mount = self
    let kind = type.filled("bind")
    mount.type = Self.types.first { $0 == kind.lowercased() } ?? kind
    mount.readOnly = readOnly.ifTrue
    // Swarm has no place for it.
    mount.consistency = nil
    mount.bindOptions = bindOptions?.canonical()
    mount.volumeOptions?.noCopy = volumeOptions?.noCopy.ifTrue
    mount.tmpfsOptions?.sizeBytes = tmpfsOptions?.sizeBytes.nonZero
    mount.tmpfsOptions?.mode = tmpfsOptions?.mode.nonZero
    return mount
  }
}

extension Mount.BindOptions {
  /// None at all when they say nothing.
  fileprivate func canonical() -> Mount.BindOptions? {
    var options = self
    options.nonRecursive = nonRecursive.ifTrue
    let given = propagation.filled("")
    if given.isEmpty, options.nonRecursive == nil { return nil }
    options.propagation = Mount.propagations.first { $0 == given.lowercased() } ?? given.filledIfEmpty("rprivate")
    return options
  }
}

extension Bool? {
  fileprivate var ifTrue: Bool? { self == true ? true : nil }
}

extension String {
  fileprivate func filledIfEmpty(_ text: String) -> String { isEmpty ? text : self }
}
