// SPDX-License-Identifier: Apache-2.0

/// The one spec for all that mean the same, as swarm keeps and shows it: names of choices in lower case and with their defaults, zeros
/// that mean nothing left out. Else a service would be updated for a change that is none.
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

extension TaskSpec {
  package func canonical() -> TaskSpec {
    var spec = self
    spec.containerSpec = containerSpec?.canonical()
    if runtime == "container" || runtime == "" { spec.runtime = nil }
    spec.resources?.limits = resources?.limits?.canonical()
    spec.resources?.reservations = resources?.reservations?.canonical()
    spec.restartPolicy?.condition = restartPolicy?.condition.or("any")
    spec.restartPolicy?.maxAttempts = restartPolicy?.maxAttempts ?? 0
    spec.placement?.maxReplicas = placement?.maxReplicas.unlessZero
    spec.placement?.preferences = placement?.preferences.map { $0.filter { $0.spread != nil } }.flatMap { $0.isEmpty ? nil : $0 }
    return spec
  }
}

extension Resources.Limits {
  fileprivate func canonical() -> Self {
    Self(nanoCPUs: nanoCPUs.unlessZero, memoryBytes: memoryBytes.unlessZero, pids: pids.unlessZero)
  }
}

extension Resources.Reservations {
  fileprivate func canonical() -> Self {
    Self(
      nanoCPUs: nanoCPUs.unlessZero, memoryBytes: memoryBytes.unlessZero,
      genericResources: genericResources?.map { resource in
        var copy = resource
        copy.discreteResourceSpec?.value = resource.discreteResourceSpec?.value.unlessZero
        return copy
      })
  }
}

extension UpdateConfig {
  fileprivate func canonical() -> UpdateConfig {
    var config = self
    config.delay = delay.unlessZero
    config.monitor = monitor.unlessZero
    config.failureAction = failureAction.or("pause")
    config.order = order.or("stop-first")
    return config
  }
}

extension EndpointSpec {
  func canonical() -> EndpointSpec { EndpointSpec(mode: mode.or("vip"), ports: ports?.map { $0.canonical() }) }
}

extension PortConfig {
  fileprivate func canonical() -> PortConfig {
    var port = self
    port.protocol = transport.lowercased()
    port.publishMode = publishMode.or("ingress").lowercased()
    port.targetPort = targetPort.unlessZero
    port.publishedPort = publishedPort.unlessZero
    return port
  }
}
