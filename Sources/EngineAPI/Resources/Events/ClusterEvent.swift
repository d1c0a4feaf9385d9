// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// Something that happened to an object of the swarm, as `GET /events` tells it.
package struct ClusterEvent: Sendable, Hashable {
  package enum Kind: String, Sendable { case node, service, network, secret, config }
  package enum Action: String, Sendable { case create, update, remove }

  static let scope = "swarm"

  package var kind: Kind
  package var action: Action
  package var id: String
  package var attributes: [String: String]
  package var time: Timestamp

  package init(_ kind: Kind, _ action: Action, id: String, attributes: [String: String], time: Timestamp) {
    self.kind = kind
    self.action = action
    self.id = id
    self.attributes = attributes
    self.time = time
  }

  /// In the order of the engine's own fields.
  package var json: JSONValue {
    [
      "Type": .string(kind.rawValue), "Action": .string(action.rawValue),
      "Actor": ["ID": .string(id), "Attributes": JSONValue(attributes)], "scope": .string(Self.scope),
      "time": JSONValue(time.nanoseconds / 1_000_000_000), "timeNano": JSONValue(time.nanoseconds),
    ]
  }
}
