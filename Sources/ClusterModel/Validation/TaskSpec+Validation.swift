// SPDX-License-Identifier: Apache-2.0

extension TaskSpec {
  func validate(labels: [String: String]) throws(SpecError) {
    try check(cpus: resources?.limits?.nanoCPUs, memory: resources?.limits?.memoryBytes)
    try check(cpus: resources?.reservations?.nanoCPUs, memory: resources?.reservations?.memoryBytes)
    if (restartPolicy?.delay ?? 0) < 0 { throw .invalidArgument("TaskSpec: restart-delay cannot be negative") }
    if (restartPolicy?.window ?? 0) < 0 { throw .invalidArgument("TaskSpec: restart-window cannot be negative") }
    for text in placement?.constraints ?? [] {
      // Swarm does not type this error, so it is a 500.
      do { _ = try Constraint(parsing: text) } catch { throw SpecError(rpc: .unknown, "\(error)") }
    }
    try containerSpec?.validatePayloadReferences()
    guard let containerSpec else { throw .invalidArgument("ContainerSpec: missing in service spec") }
    try containerSpec.validate(labels: labels)
  }

  /// Zero means none.
  private func check(cpus: Int64?, memory: Int64?) throws(SpecError) {
    if let cpus, cpus != 0, cpus < 1_000_000 {
      let text = cpus % 1_000_000_000 == 0 ? String(cpus / 1_000_000_000) : "\(Double(cpus) / 1e9)"
      throw .invalidArgument("invalid cpu value \(text): Must be at least 0.001")
    }
    if let memory, memory != 0, memory < 4 << 20 {
      throw .invalidArgument("invalid memory value \(memory): Must be at least 4MiB")
    }
  }
}

extension ContainerSpec {
  fileprivate func validate(labels: [String: String]) throws(SpecError) {
    // Every template is expanded once against invented values, so that a misspelt field is found before any task is made.
    let expanded: ContainerSpec
    do { expanded = try self.expanded(TemplateContext(checking: labels)) } catch { throw .invalidArgument("\(error)") }
    let image = image ?? ""
    if image.isEmpty { throw .invalidArgument("ContainerSpec: image reference must be provided") }
    guard ImageReference.isValid(image) else {
      throw .invalidArgument("ContainerSpec: \(image.goQuoted) is not a valid repository/tag")
    }
    try expanded.checkMounts()
    try healthcheck?.validate()
  }

  private func checkMounts() throws(SpecError) {
    var targets: Set<String> = []
    for mount in mounts ?? [] where !targets.insert(mount.target ?? "").inserted {
      throw .invalidArgument("ContainerSpec: duplicate mount point: \(mount.target ?? "")")
    }
  }
}

extension ContainerSpec.Healthcheck {
  fileprivate func validate() throws(SpecError) {
    let durations = [
      ("Interval", interval), ("Timeout", timeout), ("StartPeriod", startPeriod), ("StartInterval", startInterval),
    ]
    for (name, value) in durations {
      guard let value, value != 0, value < 1_000_000 else { continue }
      throw .invalidArgument("ContainerSpec: \(name) in HealthConfig cannot be less than 1ms")
    }
    if (retries ?? 0) < 0 { throw .invalidArgument("ContainerSpec: Retries in HealthConfig cannot be negative") }
  }
}
