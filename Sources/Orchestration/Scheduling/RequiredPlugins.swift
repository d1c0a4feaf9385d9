// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// The drivers that a task needs its node's engine to have.
enum RequiredPlugins {
  /// As swarm: an engine that names no log drivers at all is an old one and is believed to have them; the built-in volume driver
  /// and the log driver `none` are everywhere. Networks are the engine's own bridge, host and none.
  static func areThere(for spec: TaskSpec, on engine: NodeDescription.Engine?) -> Bool {
    guard let engine else { return true }
    guard volumeDrivers(of: spec).allSatisfy({ has($0, "Volume", engine) }) else { return false }
    let logDriver = spec.logDriver?.name ?? ""
    guard !["", "none"].contains(logDriver), engine.plugins.contains(where: { $0.type == "Log" }) else { return true }
    return has(logDriver, "Log", engine)
  }

  private static func volumeDrivers(of spec: TaskSpec) -> [String] {
    (spec.containerSpec?.mounts ?? []).filter { $0.type?.lowercased() == "volume" }
      .compactMap { $0.volumeOptions?.driverConfig?.name }.filter { !["", "local"].contains($0) }
  }

  private static func has(_ name: String, _ type: String, _ engine: NodeDescription.Engine) -> Bool {
    engine.plugins.contains { $0.type == type && ($0.name == name || $0.name == "\(name):latest") }
  }
}
