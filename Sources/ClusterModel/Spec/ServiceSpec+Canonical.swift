// SPDX-License-Identifier: Apache-2.0

// The one form of all specs that mean the same, which is the one that swarm shows: words in lower case, what it fills in filled in, and
// no zero where it leaves one out. What is wrong stays as it came, for the checks to name it.

extension ServiceSpec {
  package func canonical() -> ServiceSpec {
    var spec = self
    spec.taskTemplate = taskTemplate.canonical()
    spec.updateConfig = updateConfig?.canonical()
    spec.rollbackConfig = rollbackConfig?.canonical()
    spec.endpointSpec = endpointSpec?.canonical()
    return spec
  }
}

extension UpdateConfig {
  fileprivate func canonical() -> UpdateConfig {
    var config = self
    config.delay = delay.nonZero
    config.monitor = monitor.nonZero
    config.failureAction = failureAction.filled("pause")
    config.order = order.filled("stop-first")
    return config
  }
}

extension EndpointSpec {
  package func canonical() -> EndpointSpec {
    var spec = self
    spec.mode = mode.filled("vip")
    spec.ports = ports?.map { $0.canonical() }
    return spec
  }
}

extension PortConfig {
  fileprivate func canonical() -> PortConfig {
    var port = self
    port.protocol = `protocol`.filled("tcp").lowercased()
    port.targetPort = targetPort.nonZero
    port.publishedPort = publishedPort.nonZero
    port.publishMode = publishMode.filled("ingress").lowercased()
    return port
  }
}

extension TaskSpec {
  package func canonical() -> TaskSpec {
    var spec = self
    if runtime == "container" { spec.runtime = nil }
    spec.containerSpec = containerSpec?.canonical()
    spec.resources = resources?.canonical()
    spec.restartPolicy = restartPolicy?.canonical()
    spec.placement = placement?.canonical()
    return spec
  }
}

extension Resources {
  fileprivate func canonical() -> Resources {
    var resources = self
    resources.limits?.nanoCPUs = limits?.nanoCPUs.nonZero
    resources.limits?.memoryBytes = limits?.memoryBytes.nonZero
    resources.limits?.pids = limits?.pids.nonZero
    resources.reservations?.nanoCPUs = reservations?.nanoCPUs.nonZero
    resources.reservations?.memoryBytes = reservations?.memoryBytes.nonZero
    resources.reservations?.genericResources = reservations?.genericResources?.map { resource in
      var copy = resource
      copy.discreteResourceSpec?.value = resource.discreteResourceSpec?.value.nonZero
      return copy
    }
    return resources
  }
}

extension RestartPolicy {
  fileprivate func canonical() -> RestartPolicy {
    var policy = self
    policy.condition = condition.filled("any")
    policy.maxAttempts = maxAttempts ?? 0
    return policy
  }
}

extension Placement {
  fileprivate func canonical() -> Placement {
    var placement = self
    placement.preferences = preferences?.filter { $0.spread != nil }
    placement.maxReplicas = maxReplicas.nonZero
    return placement
  }
}

extension Optional where Wrapped: BinaryInteger {
  var nonZero: Wrapped? { self == 0 ? nil : self }
}

extension String? {
  func filled(_ text: String) -> String { self.flatMap { $0.isEmpty ? nil : $0 } ?? text }
}
