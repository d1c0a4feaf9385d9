// SPDX-License-Identifier: Apache-2.0

import ClusterModel

extension ContainerBody {
  var hostConfig: JSONFields {
    var host = JSONFields()
    host["NetworkMode"] = .string(task.usesIngress ? IngressNetwork.name : places.first?.engineName ?? task.networkMode)
    host["PortBindings"] = portBindings ?? .object(JSONObject())
    host["Mounts"] = mounts
    host["LogConfig"] = logConfig
    limits(&host)
    names(&host)
    security(&host)
    return host
  }

  // Reservations are for the scheduler only.
  private func limits(_ host: inout JSONFields) {
    let resources = task.template.spec.resources
    let memory = resources?.limits?.memoryBytes ?? 0
    host.set("NanoCpus", resources?.limits?.nanoCPUs)
    host.set("Memory", resources?.limits?.memoryBytes)
    host.set("PidsLimit", resources?.limits?.pids.flatMap { $0 > 0 ? $0 : nil })
    host.set("MemorySwap", resources?.swapBytes.map { $0 == -1 ? -1 : memory.addingClamped($0) })
    host.set("MemorySwappiness", resources?.memorySwappiness)
    host.set("OomScoreAdj", spec.oomScoreAdj)
    host["Ulimits"] = .array((spec.ulimits ?? []).map(\.json))
  }

  private func names(_ host: inout JSONFields) {
    host.set("ExtraHosts", spec.hosts?.compactMap(Self.extraHost))
    // Names of services are known on this node, at the address of its own bridge; so is who is to be asked for all others.
    host.set("Dns", places.isEmpty ? spec.dnsConfig?.nameservers : places.prefix(1).map { "\($0.network.gateway)" })
    host.set("DnsSearch", spec.dnsConfig?.search)
    host.set("DnsOptions", spec.dnsConfig?.options)
  }

  private func security(_ host: inout JSONFields) {
    host.set("GroupAdd", spec.groups)
    host.set("CapAdd", spec.capabilityAdd)
    host.set("CapDrop", spec.capabilityDrop)
    host.set("Sysctls", spec.sysctls)
    host.set("ReadonlyRootfs", spec.readOnly)
    host.set("Init", spec.`init`)
    host["Isolation"] = .string(spec.isolation.flatMap { $0.isEmpty ? nil : $0 } ?? "default")
    host.set("SecurityOpt", spec.privileges.map(SecurityOptions.list))
  }

  private var logConfig: JSONValue? {
    guard let driver = task.template.spec.logDriver, driver.name?.isEmpty == false || driver.options?.isEmpty == false else {
      return nil
    }
    // Options without a name are for the engine's own driver.
    return ["Type": .string(driver.name ?? ""), "Config": JSONValue(driver.options ?? [:])]
  }

  /// `IP name alias…` becomes `name:IP`; aliases are dropped, as swarm drops them.
  private static func extraHost(_ entry: String) -> String? {
    let words = entry.split(whereSeparator: \.isWhitespace)
    return words.count < 2 ? nil : "\(words[1]):\(words[0])"
  }

  // Ingress ports appear nowhere on the container: the relay holds them.
  private var portBindings: JSONValue? {
    ports { .array([["HostPort": .string($0.publishedPort.map { $0 == 0 ? "" : String($0) } ?? "")]]) }
  }

  var exposedPorts: JSONValue? { ports { _ in .object(JSONObject()) } }

  private func ports(_ value: (PortConfig) -> JSONValue) -> JSONValue? {
    var object = JSONObject()
    for port in task.template.hostPorts {
      let key = "\(port.targetPort ?? 0)/\(port.transport)"
      let earlier = object[key]?.arrayValue ?? []
      if case .array(let bindings) = value(port) { object[key] = .array(earlier + bindings) } else { object[key] = value(port) }
    }
    return object.members.isEmpty ? nil : .object(object)
  }
}

extension ContainerSpec.Ulimit {
  fileprivate var json: JSONValue { ["Name": .string(name), "Hard": JSONValue(hard), "Soft": JSONValue(soft)] }
}

extension Int64 {
  fileprivate func addingClamped(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
