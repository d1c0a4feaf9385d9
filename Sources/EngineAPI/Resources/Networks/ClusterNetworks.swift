// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// The cluster's networks as a manager shows them.
struct ClusterNetworks {
  /// The ingress network first, the others by name.
  let all: [NetworkJSON]

  init(_ store: ClusterStore) {
    let ingress = store.cluster.map { [NetworkJSON(IngressNetwork(of: $0))] } ?? []
    all = ingress + store.networks.values.sorted { ($0.name, $0.id) < ($1.name, $1.id) }.map { NetworkJSON($0) }
  }

  /// By id, else by name, else by a beginning of the id that only one has. The ingress network's id begins with its name.
  func find(_ reference: String) -> NetworkJSON? {
    if let exact = all.first(where: { $0.id == reference }) ?? all.first(where: { $0.name == reference }) { return exact }
    guard !reference.isEmpty, !IngressNetwork.name.hasPrefix(reference) else { return nil }
    let found = all.filter { $0.id.hasPrefix(reference) }
    return found.count == 1 ? found.first : nil
  }

  func isName(_ name: String) -> Bool { all.contains { $0.name.lowercased() == name.lowercased() } }
}

extension NetworkJSON {
  /// The nodes that have a container on it; of the ingress network the host itself, at `address`.
  func peers(in store: ClusterStore, at address: String) -> [(name: String, address: String)] {
    guard store.networks[id] != nil else { return [(String(id.suffix(12)), address)] }
    let nodes = Set(store.addresses[id].taskIDs.compactMap { store.tasks[$0]?.nodeID }).compactMap { store.nodes[$0] }
    return nodes.map { ($0.description?.hostname ?? $0.id, $0.status.addr) }.sorted { $0.0 < $1.0 }
  }
}

/// This host's part of an overlay network: the engine's own network, told as the overlay network that it is a part of. All that a
/// worker knows of one.
struct OverlayPart {
  /// The engine's.
  let id: String
  let networkID: String
  let name: String
  private let raw: JSONValue
  private let labels: [String: String]

  /// `nil` for any other network of the engine's.
  init?(_ raw: JSONValue) {
    guard let networkID = raw["Labels"]?[Labels.network]?.stringValue, let id = raw["Id"]?.stringValue else { return nil }
    self.raw = raw
    self.id = id
    self.networkID = networkID
    name = Network.name(ofEngines: raw["Name"]?.stringValue ?? "")
    var labels: [String: String] = [:]
    for member in raw["Labels"]?.objectValue?.members ?? [] where ![Labels.network, Labels.cluster].contains(member.key) {
      labels[member.key] = member.value.stringValue ?? ""
    }
    self.labels = labels
  }

  func matches(_ filters: Filters) -> Bool {
    func contains(_ key: String, _ text: String) -> Bool {
      let wanted = filters[key]
      return wanted.isEmpty || wanted.contains { NamePattern($0)?.matches(text) == true }
    }
    return contains("name", name) && contains("id", networkID) && filters.matchesExactly("driver", "overlay")
      && filters.matchesExactly("scope", "swarm") && filters.matchesExactly("type", "custom")
      && filters.matchesLabels("label", labels)
  }

  /// In a list, where swarm tells no containers.
  var listed: JSONValue {
    var object = inspected
    object["Containers"] = .null
    return object
  }

  var inspected: JSONValue {
    var object = raw
    object["Name"] = .string(name)
    object["Id"] = .string(networkID)
    object["Scope"] = "swarm"
    object["Driver"] = "overlay"
    let bridge = raw["Options"]?[Network.bridgeOption]?.stringValue ?? ""
    object["Options"] = [NetworkJSON.tunnelOption: .string(String(bridge.drop { !$0.isNumber }))]
    object["Labels"] = JSONValue(labels)
    return object
  }
}

extension JSONValue {
  var isOverlayPart: Bool { self["Labels"]?[Labels.network] != nil }
}
