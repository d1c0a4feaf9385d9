// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// `Info.Swarm`, from one look at the store.
struct InfoSection: Sendable, Hashable {
  var json: JSONValue
  /// Go into the top level of `/info` as well.
  var warnings: [String] = []

  static let twoManagers =
    "WARNING: Running Swarm in a two-manager configuration. This configuration provides\n"
    + "         no fault tolerance, and poses a high risk to lose control over the cluster.\n"
    + "         Refer to https://docs.docker.com/engine/swarm/admin_guide/ to configure the\n         Swarm for fault-tolerance."

  static let inactive = InfoSection(json: .object(head(state: "inactive")))
  static let pending = InfoSection(json: .object(head(state: "pending")))
  static func failed(_ reason: String) -> InfoSection { InfoSection(json: .object(head(state: "error", error: reason))) }

  static func worker(_ worker: WorkerState) -> InfoSection {
    var object = head(
      state: worker.error == nil ? "active" : "error", nodeID: worker.nodeID, address: worker.address, error: worker.error ?? "")
    object["RemoteManagers"] = .array(worker.managers.map { ["NodeID": .string($0.nodeID), "Addr": .string($0.addr)] })
    return InfoSection(json: .object(object))
  }

  /// `error` goes with a section that is made without the store.
  init(nodeID: String, address: String, store: ClusterStore?, error: String = "") throws {
    var object = Self.head(state: "active", nodeID: nodeID, address: address, isManager: true, error: error)
    guard let store else {
      json = .object(object)
      return
    }
    let managers = store.nodes.values.filter(\.isManager).sorted { $0.id < $1.id }
    let remotes: [JSONValue] = managers.map { ["NodeID": .string($0.id), "Addr": .string($0.managerAddr ?? "")] }
    object["RemoteManagers"] = .array(remotes)
    if !store.nodes.isEmpty { object.append("Nodes", JSONValue(store.nodes.count)) }
    if !managers.isEmpty { object.append("Managers", JSONValue(managers.count)) }
    if let cluster = store.cluster { object.append("Cluster", try ClusterJSON.value(cluster, withTokens: false)) }
    if managers.count == 2 {
      warnings = [Self.twoManagers]
      object.append("Warnings", JSONValue(warnings))
    }
    json = .object(object)
  }

  private init(json: JSONValue) { self.json = json }

  private static func head(
    state: String, nodeID: String = "", address: String = "", isManager: Bool = false, error: String = ""
  ) -> JSONObject {
    var object = JSONObject()
    object.append("NodeID", .string(nodeID))
    object.append("NodeAddr", .string(address))
    object.append("LocalNodeState", .string(state))
    object.append("ControlAvailable", .bool(isManager))
    object.append("Error", .string(error))
    object.append("RemoteManagers", .null)
    return object
  }
}
