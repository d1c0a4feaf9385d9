// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineClient

/// The networks that every engine has. In specs they are kept by name, because their ids differ from host to host.
enum PredefinedNetwork: String, CaseIterable {
  case bridge, host, none

  /// As a manager shows the swarm's view of it. The id is the name: clients send it back as a service's network.
  var json: JSONValue {
    [
      "Name": .string(rawValue), "Id": .string(rawValue), "Created": .string(Timestamp.zero.description), "Scope": "swarm",
      "Driver": .string(self == .none ? "null" : rawValue), "EnableIPv4": true, "EnableIPv6": false,
      "IPAM": ["Driver": "", "Options": nil, "Config": []], "Internal": false, "Attachable": false, "Ingress": false,
      "ConfigFrom": ["Network": ""], "ConfigOnly": false, "Containers": nil, "Options": nil,
      "Labels": ["com.docker.swarm.predefined": "true"],
    ]
  }
}

extension SwarmAPI {
  /// The spec with every network target replaced by the id of an overlay network or the name of a predefined one; whatever else it
  /// may name is refused. One that is named twice counts once.
  func resolvingNetworks(_ spec: ServiceSpec, _ swarm: ActiveSwarm) async throws -> ServiceSpec {
    var spec = spec
    var networks = spec.taskTemplate.networks ?? []
    if networks.isEmpty { return spec }
    let known = ClusterNetworks(await swarm.store.read { $0 })
    for index in networks.indices {
      let target = networks[index].target ?? ""
      if let network = known.find(target), network.name != IngressNetwork.name {
        networks[index].target = network.id
      } else {
        networks[index].target = try await predefinedName(target)
      }
    }
    spec.taskTemplate.networks = networks.reduce(into: []) { kept, network in
      if !kept.contains(where: { $0.target == network.target }) { kept.append(network) }
    }
    return spec
  }

  private func predefinedName(_ target: String) async throws -> String {
    if PredefinedNetwork(rawValue: target) != nil { return target }
    let ingress = SpecError.invalidArgument(#"Service cannot be explicitly attached to the ingress network "ingress""#)
    if target == IngressNetwork.name || target.count > IngressNetwork.name.count && target.hasPrefix(IngressNetwork.name) {
      throw ingress
    }
    guard !target.isEmpty, let name = try await networkName(target) else {
      throw APIError(status: 404, "network \(target) not found")
    }
    if PredefinedNetwork(rawValue: name) != nil { return name }
    if name == IngressBridge.name { throw ingress }
    throw APIError(
      status: 403,
      "The network \(target) cannot be used with services. Only networks scoped to the swarm can be used, "
        + "such as those created with the overlay driver.")
  }

  /// The whole name of what the engine knows under a name, an id or the beginning of one.
  func networkName(_ reference: String) async throws -> String? {
    do {
      return try await engine.network(reference).value.name
    } catch let error as EngineError where error.code == .notFound {
      return nil
    }
  }
}
