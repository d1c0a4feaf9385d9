// SPDX-License-Identifier: Apache-2.0

extension ServiceSpec {
  /// The spec with what it leaves out filled in, for `insertDefaults=true`. Never stored: clients compare what they sent.
  package func withDefaults() -> ServiceSpec {
    var spec = self
    spec.taskTemplate = taskTemplate.withDefaults()
    spec.updateConfig = (updateConfig ?? .default).withMonitor()
    spec.rollbackConfig = (rollbackConfig ?? .default).withMonitor()
    return spec
  }
}

extension TaskSpec {
  fileprivate func withDefaults() -> TaskSpec {
    var spec = self
    if spec.containerSpec?.stopGracePeriod == nil { spec.containerSpec?.stopGracePeriod = 10_000_000_000 }
    if spec.containerSpec?.dnsConfig == nil { spec.containerSpec?.dnsConfig = .init() }
    spec.resources = resources ?? Resources()
    spec.restartPolicy = restartPolicy ?? RestartPolicy(condition: "any", maxAttempts: 0)
    if spec.restartPolicy?.delay == nil { spec.restartPolicy?.delay = 5_000_000_000 }
    spec.placement = placement ?? Placement()
    return spec
  }
}

extension UpdateConfig {
  fileprivate static let `default` = UpdateConfig(parallelism: 1, failureAction: "pause", order: "stop-first")

  fileprivate func withMonitor() -> UpdateConfig {
    var config = self
    if config.monitor == nil { config.monitor = 5_000_000_000 }
    return config
  }
}
