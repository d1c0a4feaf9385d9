// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// The `filters` of `GET /events`. The engine has a matching of its own for them, other than that of lists, and ignores keys it
/// does not know. https://github.com/moby/moby/blob/v20.10.24/daemon/events/filter.go
package struct EventFilter: Sendable {
  /// A value of `false` is there, but equals nothing.
  private var fields: [String: [String: Bool]] = [:]

  /// An actor's id or name begins with one of the values, whatever kind of object it is: the key names no type.
  private static let actorKeys = ["daemon", "container", "plugin", "volume", "network", "node", "service", "secret", "config"]
  /// With one of these, actions are matched by their beginnings.
  private static let openActions: Set<String> = ["health_status", "exec_create", "exec_start"]

  /// Both forms, `{"key":["a"]}` and `{"key":{"a":true}}`.
  package init(_ text: String?) throws(APIError) {
    guard let text, !text.isEmpty else { return }
    guard let json = try? JSONValue(parsing: text) else { throw .badRequest("invalid filter") }
    if json.isNull { return }
    guard let object = json.objectValue else { throw .badRequest("invalid filter") }
    for member in object.members {
      guard let values = Self.values(member.value) else { throw .badRequest("invalid filter") }
      fields[member.key] = values
    }
  }

  private static func values(_ json: JSONValue) -> [String: Bool]? {
    switch json {
    case .null: return [:]
    case .array(let array):
      let strings = array.compactMap(\.stringValue)
      return strings.count == array.count ? Dictionary(strings.map { ($0, true) }) { $1 } : nil
    case .object(let object):
      let values = object.members.compactMap { member in member.value.boolValue.map { (member.key, $0) } }
      return values.count == object.members.count ? Dictionary(values) { $1 } : nil
    default: return nil
    }
  }

  package func includes(_ event: ClusterEvent) -> Bool {
    includes(action: event.action.rawValue) && equals("type", event.kind.rawValue) && equals("scope", ClusterEvent.scope)
      && Self.actorKeys.allSatisfy { begins($0, event.id) || begins($0, event.attributes["name"] ?? "") }
      // No object of the swarm has an image of its own, so only its id could be meant, or nothing at all.
      && (equals("image", event.id) || equals("image", "")) && includesLabels(event.attributes)
  }

  private func includes(action: String) -> Bool {
    let wanted = fields["event"] ?? [:]
    return wanted.keys.contains(where: Self.openActions.contains) ? begins("event", action) : equals("event", action)
  }

  private func equals(_ key: String, _ text: String) -> Bool {
    guard let wanted = fields[key], !wanted.isEmpty else { return true }
    return wanted[text] == true
  }

  private func begins(_ key: String, _ text: String) -> Bool {
    equals(key, text) || (fields[key] ?? [:]).keys.contains { text.hasPrefix($0) }
  }

  /// All of them: `key` whatever the value is, `key=value` exactly, an empty value too.
  private func includesLabels(_ attributes: [String: String]) -> Bool {
    (fields["label"] ?? [:]).keys.allSatisfy { text in
      let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let found = attributes[String(sides.first ?? "")] else { return false }
      return sides.count < 2 || found == sides[1]
    }
  }
}
