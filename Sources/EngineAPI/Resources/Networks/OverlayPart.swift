// SPDX-License-Identifier: Apache-2.0

import ClusterModel

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

  func matches(_ filters: Filters) -> Bool { filters.matchesOverlay(id: networkID, name: name, labels: labels) }

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
