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
