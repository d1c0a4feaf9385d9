// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import EngineClient
import FoundationEssentials

extension SwarmAPI {
  /// The engine's and, on a manager, the cluster's. Between two tasks a bridge of ours looks unused to the engine.
  func pruneNetworks(_ call: Call) async throws -> Rewritten {
    guard let filters = Self.sparingOurs(call.query["filters"] ?? "") else { return call.unchanged }
    guard case .active(let swarm) = await control.state, let wanted = try? PruneFilter(call.query["filters"], now: now()) else {
      return Self.forward(call, filters)
    }
    // The engine first: what it refuses is refused.
    var answer = try await engine.pruneNetworks(filters: filters)
    let pruned = try await swarm.store.transaction { NetworkResource.prune(wanted.fits, in: &$0) }
    if !pruned.isEmpty { answer["NetworksDeleted"] = JSONValue((answer["NetworksDeleted"]?.strings ?? []) + pruned) }
    return .answer(.json(answer))
  }

  private static func forward(_ call: Call, _ filters: String) -> Rewritten {
    var head = call.request.head
    let parts = head.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let others = (parts.count > 1 ? parts[1] : "").split(separator: "&").filter { !$0.hasPrefix("filters=") }
    head.target = "\(parts[0])?" + (others.map(String.init) + ["filters=\(escaped(filters))"]).joined(separator: "&")
    return .forward(head, body: call.request.body)
  }

  /// The filters with `label!=skep.cluster` added, in the form they came in; `nil` when they are not filters. Keys without values say
  /// nothing, and moby 20.10 answers an empty `until` not at all: they are left out.
  static func sparingOurs(_ text: String) -> String? {
    guard let json = text.isEmpty ? .object(JSONObject()) : try? JSONValue(parsing: text) else { return nil }
    guard let given = json.isNull ? JSONObject() : json.objectValue else { return nil }
    var object = JSONObject()
    for member in given.members where !member.value.hasNoMembers { object.append(member.key, member.value) }
    let key = "label!"
    switch object[key] {
    case .object(var old)?:
      old[Labels.cluster] = true
      object[key] = .object(old)
    case .array(let old)?: object[key] = .array(old + [.string(Labels.cluster)])
    case nil:
      let isOldForm = object.members.contains { $0.value.objectValue != nil }
      object[key] = isOldForm ? [Labels.cluster: true] : [.string(Labels.cluster)]
    default: return nil
    }
    return JSONValue.object(object).text
  }

  private static func escaped(_ text: String) -> String {
    text.utf8.map { byte in
      let isPlain = (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || "-_.~".utf8.contains(byte)
      let hex = String(byte, radix: 16, uppercase: true)
      return isPlain ? String(Character(Unicode.Scalar(byte))) : "%" + (hex.utf8.count < 2 ? "0" : "") + hex
    }.joined()
  }
}

/// Which of the cluster's networks a prune is about.
struct PruneFilter {
  private let filters: Filters
  private let until: Timestamp?

  /// `until` as a duration before `now`, or a time; throws for what this release does not read.
  init(_ text: String?, now: Timestamp) throws {
    filters = try Filters(text, allowed: ["label", "label!", "until"])
    guard let wanted = filters["until"].first else {
      until = nil
      return
    }
    if let age = GoDuration(wanted) {
      until = now + .nanoseconds(-age.nanoseconds)
    } else if let moment = try? Date(wanted, strategy: .iso8601) {
      until = Timestamp(nanoseconds: Int64(moment.timeIntervalSince1970) * 1_000_000_000)
    } else if let seconds = Double(wanted), abs(seconds) < 9e9 {
      until = Timestamp(nanoseconds: Int64(seconds * 1e9))
    } else {
      throw APIError.badRequest("invalid until \(wanted)")
    }
  }

  func fits(_ network: Network) -> Bool {
    if let until, network.createdAt >= until { return false }
    guard filters.matchesLabels("label", network.spec.labels) else { return false }
    return !filters.contains("label!") || !filters.matchesLabels("label!", network.spec.labels)
  }
}

extension JSONValue {
  fileprivate var strings: [String] { (arrayValue ?? []).compactMap(\.stringValue) }

  /// An empty list or object.
  fileprivate var hasNoMembers: Bool { arrayValue?.isEmpty ?? objectValue?.members.isEmpty ?? false }
}
