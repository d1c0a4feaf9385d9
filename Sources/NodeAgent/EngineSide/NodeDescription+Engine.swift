// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import EngineClient

extension NodeDescription {
  /// What `/info` says of the host, as swarm describes a node.
  package init(_ info: Inspected<EngineInfo>) {
    self.init(
      hostname: info.name, platform: Platform(architecture: info.architecture, os: info.osType.isEmpty ? "linux" : info.osType),
      resources: Capacity(
        nanoCPUs: Int64(info.ncpu) * 1_000_000_000, memoryBytes: Int64(info.memTotal),
        genericResources: Self.genericResources(info.raw)),
      engine: Engine(engineVersion: info.serverVersion, labels: Self.labels(info.labels), plugins: Self.plugins(info.raw)))
  }

  private static func labels(_ labels: [String]) -> [String: String] {
    let pairs = labels.map { label in
      let parts = label.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
    }
    return Dictionary(pairs) { $1 }
  }

  /// Sorted by kind: the engine lists kinds in a new order each time it starts. Names keep theirs.
  private static func genericResources(_ info: JSONValue) -> [GenericResource] {
    let listed = info["GenericResources"].flatMap { try? GoJSONDecoder().decode([GenericResource].self, from: $0) } ?? []
    let kinds = Dictionary(grouping: listed, by: \.kind)
    return kinds.keys.sorted().flatMap { kinds[$0] ?? [] }
  }

  private static func plugins(_ info: JSONValue) -> [Engine.Plugin] {
    let lists = info["Plugins"]
    return ["Authorization", "Log", "Network", "Volume"].flatMap { type in
      let names = (lists?[type]?.arrayValue ?? []).compactMap(\.stringValue)
      return names.sorted().map { Engine.Plugin(type: type, name: $0) }
    }
  }
}
