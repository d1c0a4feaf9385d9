// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// A network of the cluster as the Engine API shows it: one that a user made, or the ingress network.
package struct NetworkJSON {
  let id: String
  let name: String
  private let createdAt: Timestamp
  private let updatedAt: Timestamp
  private let version: UInt64
  private let labels: [String: String]
  private let isInternal: Bool
  private let isAttachable: Bool
  private let isIngress: Bool
  private let pool: JSONValue
  private let options: [String: String]
  private let asked: JSONValue

  package init(_ network: Network) {
    (id, name, version) = (network.id, network.name, network.version)
    (createdAt, updatedAt) = (network.createdAt, network.updatedAt)
    (labels, isInternal, isAttachable) = (network.spec.labels, network.spec.isInternal, network.spec.isAttachable)
    isIngress = false
    var pool: JSONValue = ["Subnet": .string("\(network.subnet)")]
    if network.range != network.subnet { pool["IPRange"] = .string("\(network.range)") }
    pool["Gateway"] = .string("\(network.gateway)")
    self.pool = pool
    options = network.spec.options.merging([Self.tunnelOption: "\(network.tunnel)"]) { _, own in own }
    asked = Self.asked(network.spec.pool)
  }

  package init(_ ingress: IngressNetwork) {
    (id, name, version) = (ingress.id, IngressNetwork.name, 0)
    (createdAt, updatedAt) = (ingress.createdAt, ingress.createdAt)
    (labels, isInternal, isAttachable, isIngress) = ([:], false, false, true)
    pool = ["Subnet": .string("\(ingress.subnet)"), "Gateway": .string("\(ingress.subnet.gateway)")]
    (options, asked) = ([:], ["Driver": [:]])
  }

  /// Where swarm's clients look for the number of a network's tunnel.
  static let tunnelOption = "com.docker.network.driver.overlay.vxlanid_list"

  private static func asked(_ pool: NetworkSpec.Pool) -> JSONValue {
    var config = JSONObject()
    config.append(nonEmpty: "Subnet", pool.subnet ?? "")
    config.append(nonEmpty: "Range", pool.range ?? "")
    config.append(nonEmpty: "Gateway", pool.gateway ?? "")
    var asked: JSONValue = ["Driver": ["Name": "default"]]
    if !config.members.isEmpty { asked["Configs"] = [.object(config)] }
    return asked
  }

  /// In a task's `NetworksAttachments`.
  var attachment: JSONValue {
    var object = ObjectJSON.head(id: id, version: version, createdAt: createdAt, updatedAt: updatedAt)
    var spec: JSONValue = [
      "Name": .string(name), "Labels": JSONValue(labels), "DriverConfiguration": isIngress ? [:] : ["Name": "overlay"],
    ]
    if isInternal { spec["Internal"] = true }
    if isAttachable { spec["Attachable"] = true }
    if isIngress { spec["Ingress"] = true }
    spec["IPAMOptions"] = asked
    spec["Scope"] = "swarm"
    object.append("Spec", spec)
    object.append("DriverState", options.isEmpty ? ["Name": "overlay"] : ["Name": "overlay", "Options": JSONValue(options)])
    object.append("IPAMOptions", ["Driver": ["Name": "default"], "Configs": [pool]])
    return .object(object)
  }

  /// In `GET /networks`, where swarm tells no containers.
  var listed: JSONValue { value(containers: .null, labels: labels.isEmpty ? .null : JSONValue(labels)) }

  /// In `GET /networks/{id}`. `containers` are those of this node, as the engine shows them for its part of the network, `nil` where it has
  /// none; `peers` the nodes on it that are known.
  func inspected(containers: JSONValue?, peers: [(name: String, address: String)]) -> JSONValue {
    let noLabels = containers == nil && labels.isEmpty
    var object = value(containers: containers ?? .null, labels: noLabels ? .null : JSONValue(labels))
    if !peers.isEmpty {
      object["Peers"] = .array(peers.map { ["Name": .string($0.name), "IP": .string($0.address)] })
    }
    return object
  }

  private func value(containers: JSONValue, labels: JSONValue) -> JSONValue {
    [
      "Name": .string(name), "Id": .string(id), "Created": .string(createdAt.description), "Scope": "swarm",
      "Driver": "overlay", "EnableIPv4": true, "EnableIPv6": false,
      "IPAM": ["Driver": "default", "Options": nil, "Config": [pool]],
      "Internal": .bool(isInternal), "Attachable": .bool(isAttachable), "Ingress": .bool(isIngress),
      "ConfigFrom": ["Network": ""], "ConfigOnly": false, "Containers": containers, "Options": JSONValue(options),
      "Labels": labels,
    ]
  }

  func matches(_ filters: Filters) -> Bool {
    filters.matchesOverlay(id: id, name: name, labels: labels)
      && (!isIngress || filters["dangling"].allSatisfy { ["false", "0"].contains($0) })
  }
}

extension Filters {
  /// By the rules of the engine's list: names and ids are matched as regular expressions.
  func matchesOverlay(id: String, name: String, labels: [String: String]) -> Bool {
    matchesPattern("name", name) && matchesPattern("id", id) && matchesExactly("driver", "overlay")
      && matchesExactly("scope", "swarm") && matchesExactly("type", "custom") && matchesLabels("label", labels)
  }

  private func matchesPattern(_ key: String, _ text: String) -> Bool {
    let wanted = self[key]
    return wanted.isEmpty || wanted.contains { NamePattern($0)?.matches(text) == true }
  }
}
