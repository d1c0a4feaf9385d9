// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineClient
import HTTPWire

/// The engine's network that published ports are reached through, on every host.
enum IngressBridge {
  /// Sorts first: the engine takes a container's default route from the first of its networks.
  static let name = "0-skep-ingress"
}

/// Requests for networks are the engine's, except where they would make what this release has not or break what it needs.
extension SwarmAPI {
  /// The engine's list with the swarm's network before it.
  func listNetworks(_ call: Call) async throws -> Rewritten {
    let keys: Set = ["id", "name", "driver", "scope", "type", "label", "dangling"]
    // What the engine has to refuse, it refuses.
    guard let ingress = await ingress(), let filters = try? Filters(call.query["filters"], allowed: keys) else {
      return call.unchanged
    }
    let engines: [JSONValue]
    do {
      engines = try await engine.networks(filters: filters.all, version: call.request.version?.description).map(\.raw)
    } catch let error as EngineError {
      // In its own words, as in swarm mode.
      guard let status = error.status else { throw error }
      throw APIError(status: status, error.message)
    }
    return .answer(.json(.array((ingress.matches(filters) ? [ingress.listed] : []) + engines)))
  }

  func inspectNetwork(_ call: Call) async throws -> Rewritten {
    // A malformed flag is the engine's to refuse.
    guard case .active(let swarm) = await control.state, Self.isFlag(call.query["verbose"]) else {
      return call.unchanged
    }
    let scope = call.query["scope"] ?? ""
    if let ingress = await ingress(), ingress.isMeant(by: call.id), ["", "swarm"].contains(scope) {
      if scope.isEmpty, call.id == IngressNetwork.name, (try? await networkName(call.id)) == call.id {
        throw APIError.badRequest("2 matches found based on name: network \(call.id) is ambiguous")
      }
      let bridge = try? await engine.network(IngressBridge.name)
      return .answer(.json(ingress.inspected(containers: bridge?.raw["Containers"] ?? [:], address: swarm.address)))
    }
    guard call.query["scope"] == "swarm", let network = PredefinedNetwork(rawValue: call.id) else { return call.unchanged }
    return .answer(.json(network.json))
  }

  private static func isFlag(_ text: String?) -> Bool {
    guard let text, !text.isEmpty else { return true }
    return Query.strictBool(text) != nil
  }

  private func ingress() async -> IngressNetwork? {
    guard case .active(let swarm) = await control.state else { return nil }
    return await swarm.store.read { $0.cluster }.map { IngressNetwork(of: $0) }
  }

  func createNetwork(_ call: Call) async throws -> Rewritten {
    // What is no JSON is for the engine to refuse.
    guard let body = try? JSONValue(parsing: call.request.body), let object = body.objectValue else { return call.unchanged }
    if object.member(ignoringCase: "Name")?.stringValue == IngressNetwork.name, await ingress() != nil {
      throw APIError(status: 409, "network with name \(IngressNetwork.name) already exists")
    }
    let isOverlay = object.member(ignoringCase: "Driver")?.stringValue == "overlay"
    guard isOverlay || object.member(ignoringCase: "Scope")?.stringValue == "swarm" else { return call.unchanged }
    guard case .active = await control.state else {
      throw APIError(
        status: 403, isOverlay ? SwarmText.noSwarm : "cannot create a swarm scoped network when swarm is not active")
    }
    throw APIError(status: 501, "overlay networks are not supported by this release of Skep")
  }

  func removeNetwork(_ call: Call) async throws -> Rewritten {
    if let ingress = await ingress(), ingress.isMeant(by: call.id) {
      throw APIError(status: 501, "removing the ingress network is not supported by this release of Skep")
    }
    return try await spareIngressBridge(call, "cannot be removed")
  }

  /// Its addresses are given to tasks: another container could take one.
  func connectNetwork(_ call: Call) async throws -> Rewritten {
    if let ingress = await ingress(), ingress.isMeant(by: call.id) {
      let reason = SpecError(rpc: .permissionDenied, "network \(IngressNetwork.name) not manually attachable").message
      throw APIError(status: 403, "Could not attach to network \(IngressNetwork.name): \(reason)")
    }
    return try await spareIngressBridge(call, "takes no other containers")
  }

  private func spareIngressBridge(_ call: Call, _ refusal: String) async throws -> Rewritten {
    // An engine that does not answer refuses by itself.
    guard (try? await networkName(call.id)) == IngressBridge.name else { return call.unchanged }
    throw APIError(status: 403, "\(IngressBridge.name) is used by Skep for published ports and \(refusal)")
  }

  /// Between two tasks a bridge of ours looks unused.
  func pruneNetworks(_ call: Call) -> Rewritten {
    guard let filters = Self.sparingOurs(call.query["filters"] ?? "") else { return call.unchanged }
    var head = call.request.head
    let parts = head.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let others = (parts.count > 1 ? parts[1] : "").split(separator: "&").filter { !$0.hasPrefix("filters=") }
    head.target = "\(parts[0])?" + (others.map(String.init) + ["filters=\(Self.escaped(filters))"]).joined(separator: "&")
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

extension Call {
  /// To the engine as it came.
  var unchanged: Rewritten { .forward(request.head, body: request.body) }
}

extension JSONValue {
  /// An empty list or object.
  fileprivate var hasNoMembers: Bool { arrayValue?.isEmpty ?? objectValue?.members.isEmpty ?? false }
}
