// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// Tasks' JSON, put together of what is kept ready.
struct TaskList {
  /// What a task's JSON is made of: the task, the ingress network, and its node's part of that.
  struct Stamp: Sendable, Equatable {
    let version: UInt64
    let clusterWrittenAt: UInt64?
    let subnet: IPv4Subnet?
  }

  typealias Ready = ReadyJSON<Stamp, [UInt8]>

  private let store: ClusterStore
  private let ready: Ready
  private var maker: TaskJSON

  init(of store: ClusterStore, ready: Ready) {
    self.store = store
    self.ready = ready
    maker = TaskJSON(store: store)
  }

  /// Sorted by id. Throws 404 for a service or node that there is not.
  mutating func json(_ filter: TaskFilter) throws -> [UInt8] {
    var bytes = [UInt8(ascii: "[")]
    for task in try filter.tasks(in: store) {
      if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
      bytes += try json(task)
    }
    bytes.append(UInt8(ascii: "]"))
    ready.trim(to: store.tasks.count) { store.tasks[$0] != nil }
    return bytes
  }

  mutating func json(_ task: ClusterTask) throws -> [UInt8] {
    let subnet = store.nodes[task.nodeID]?.ingressSubnet
    let stamp = Stamp(version: task.version, clusterWrittenAt: store.cluster?.version, subnet: subnet)
    return try ready.value(task.id, stamp) { try maker.value(task).bytes } ?? []
  }
}
