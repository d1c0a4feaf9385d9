// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineClient

/// What an engine refuses about networks, and which of them a filter means.
extension FakeEngine {
  func matches(_ name: String, _ filters: [String: [String]]) -> Bool {
    let labels = networks[name]?["Labels"]?.objectValue
    let isPredefined = Self.predefined.contains(name)
    func fits(_ key: String, _ test: (String) -> Bool) -> Bool {
      filters[key].map { $0.isEmpty || $0.contains(where: test) } ?? true
    }
    return fits("name") { name.contains($0) } && fits("id") { name.hasPrefix($0) } && fits("scope") { $0 == "local" }
      && fits("driver") { $0 == driver(of: name) } && fits("type") { ($0 == "builtin") == isPredefined }
      && (filters["label"] ?? []).allSatisfy { label in
        let sides = label.split(separator: "=", maxSplits: 1).map(String.init)
        return labels?[sides[0]].map { sides.count < 2 || $0.stringValue == sides[1] } ?? false
      }
  }

  func driver(of name: String) -> String {
    Self.predefined.contains(name) ? (name == "none" ? "null" : name) : networks[name]?["Driver"]?.stringValue ?? "bridge"
  }

  func checkNetwork(_ name: String, _ config: JSONValue) throws {
    try BodySchema.network.check(config, minor: minor)
    if name.isEmpty { throw EngineError(.badRequest, status: 400, "invalid network name: name is empty") }
    if Self.predefined.contains(name) {
      throw EngineError(.unauthorized, status: 403, "operation is not permitted on predefined \(name) network ")
    }
    guard networks[name] == nil else { throw EngineError(.conflict, status: 409, "network with name \(name) already exists") }
    for text in Self.subnets(config) {
      guard let subnet = IPv4Subnet(text) else {
        throw EngineError(.badRequest, status: 400, "invalid subnet \(text): invalid CIDR address: \(text)")
      }
      guard !networks.values.flatMap(Self.subnets).compactMap({ IPv4Subnet($0) }).contains(where: subnet.overlaps) else {
        throw EngineError(.unauthorized, status: 403, "Pool overlaps with other one on this address space")
      }
    }
  }

  static func subnets(_ config: JSONValue) -> [String] {
    (config["IPAM"]?["Config"]?.arrayValue ?? []).compactMap { $0["Subnet"]?.stringValue }
  }
}
