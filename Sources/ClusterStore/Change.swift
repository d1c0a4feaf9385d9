// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// One object written or removed. Boxed: a change is passed on many times, and a service is large.
package indirect enum Change: Sendable {
  case cluster(Cluster)
  case node(Node)
  case service(Service)
  case task(ClusterTask)
  case network(Network)
  case attachment(Attachment)
  case payload(Payload)
  case removeNode(String)
  case removeService(String)
  case removeTask(String)
  case removeNetwork(String)
  case removeAttachment(String)
  case removePayload(String)
}

/// A transaction's result before it is durable: objects to apply, and the bytes that make them durable.
package struct Proposal: Sendable {
  package let changes: [Change]
  package let writes: [RecordWrite]

  package var isEmpty: Bool { writes.isEmpty }

  /// Whether the part that a user writes has changed, which is what `Version.Index` counts.
  func writesSpec(_ change: Change) -> Bool {
    switch change {
    case .node(let node): specKeys.contains(RecordKey.nodeSpec(node.id))
    case .service(let service): specKeys.contains(RecordKey.serviceSpec(service.id))
    default: true
    }
  }

  private let specKeys: Set<String>

  init(changes: [Change], writes: [RecordWrite]) {
    self.changes = changes
    self.writes = writes
    specKeys = Set(writes.lazy.map(\.key).filter { $0.hasSuffix(RecordKey.specSuffix) })
  }
}

/// Keys of the durable records.
enum RecordKey {
  static let cluster = "cluster"
  static let specSuffix = "/spec"
  static func nodeSpec(_ id: String) -> String { "node/\(id)/spec" }
  static func nodeStatus(_ id: String) -> String { "node/\(id)/status" }
  static func serviceSpec(_ id: String) -> String { "service/\(id)/spec" }
  static func serviceStatus(_ id: String) -> String { "service/\(id)/status" }
  static func task(_ id: String) -> String { "task/\(id)" }
  static func network(_ id: String) -> String { "network/\(id)" }
  static func attachment(_ id: String) -> String { "attachment/\(id)" }
  static func payloadSpec(_ kind: PayloadKind, _ id: String) -> String { "\(kind.rawValue)/\(id)\(specSuffix)" }
  /// Apart from the spec and not as JSON: it is large, and never changes.
  static func payloadData(_ kind: PayloadKind, _ id: String) -> String { "\(kind.rawValue)/\(id)/data" }
  static func template(_ key: TaskTemplate.Key) -> String { "template/\(key.serviceID)/\(key.specVersion)" }
}
