// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// The network behind ingress ports, as swarm shows its own. It is no object of the store: all of it follows from the cluster.
package struct IngressNetwork {
  static let name = "ingress"

  /// Made from the cluster's id, so that it never changes and has the length of every other id.
  package let id: String
  package let subnet: IPv4Subnet
  let createdAt: Timestamp

  package init(of cluster: Cluster) {
    id = Self.name + cluster.id.prefix(Identifier.length - Self.name.count)
    subnet = cluster.ingressPool
    createdAt = cluster.createdAt
  }

  /// In a task's `NetworksAttachments`.
  var attachment: JSONValue {
    var object = ObjectJSON.head(id: id, version: 0, createdAt: createdAt, updatedAt: createdAt)
    object.append(
      "Spec",
      [
        "Name": .string(Self.name), "Labels": [:], "DriverConfiguration": [:], "Ingress": true, "IPAMOptions": ["Driver": [:]],
        "Scope": "swarm",
      ])
    object.append("DriverState", ["Name": "overlay"])
    object.append("IPAMOptions", ["Driver": ["Name": "default"], "Configs": [pool]])
    return .object(object)
  }

  /// In `GET /networks`, where swarm tells neither containers nor labels.
  var listed: JSONValue { value(containers: .null, labels: .null) }

  /// In `GET /networks/ingress`. `containers` are those of this node, as the engine shows them for its part of the network.
  func inspected(containers: JSONValue, address: String) -> JSONValue {
    var object = value(containers: containers, labels: [:])
    object["Peers"] = [["Name": .string(String(id.suffix(12))), "IP": .string(address)]]
    return object
  }

  private var pool: JSONValue { ["Subnet": .string("\(subnet)"), "Gateway": .string("\(subnet.gateway)")] }

  private func value(containers: JSONValue, labels: JSONValue) -> JSONValue {
    [
      "Name": .string(Self.name), "Id": .string(id), "Created": .string(createdAt.description), "Scope": "swarm",
      "Driver": "overlay", "EnableIPv4": true, "EnableIPv6": false,
      "IPAM": ["Driver": "default", "Options": nil, "Config": [pool]],
      "Internal": false, "Attachable": false, "Ingress": true, "ConfigFrom": ["Network": ""], "ConfigOnly": false,
      "Containers": containers, "Options": [:], "Labels": labels,
    ]
  }
}

extension IngressNetwork {
  /// By the rules of the engine's list: names and ids are matched as regular expressions.
  func matches(_ filters: Filters) -> Bool {
    func contains(_ key: String, _ text: String) -> Bool {
      let wanted = filters[key]
      return wanted.isEmpty || wanted.contains { NamePattern($0)?.matches(text) == true }
    }
    return contains("name", Self.name) && contains("id", id) && filters.matchesExactly("driver", "overlay")
      && filters.matchesExactly("scope", "swarm") && filters.matchesExactly("type", "custom")
      && filters.matchesLabels("label", [:])
      && filters["dangling"].allSatisfy { ["false", "0"].contains($0) }
  }

  /// Whether a client means this network: by name, by id, or by a beginning of the id that is not the name's.
  func isMeant(by reference: String) -> Bool {
    reference == Self.name || (reference.count > Self.name.count && id.hasPrefix(reference))
  }
}
