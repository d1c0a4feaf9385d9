// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// What a spec may ask of a container that only newer engines know: an older one would ignore it without a word.
enum NewerFields {
  /// Why the spec cannot be carried out by an engine that speaks `version`; `nil` when it can.
  static func refusal(of spec: ContainerSpec, version: String) -> String? {
    guard let (field, minor) = used(by: spec).first(where: { $0.minor > minor(version) }) else { return nil }
    return "\(field) needs an engine with API 1.\(minor), and this node's speaks \(version)"
  }

  /// 41 of `1.41`.
  static func minor(_ version: String) -> Int { version.split(separator: ".").last.flatMap { Int($0) } ?? 0 }

  private static func used(by spec: ContainerSpec) -> [(field: String, minor: Int)] {
    var used: [(field: String, minor: Int)] = []
    if (spec.healthcheck?.startInterval ?? 0) != 0 { used.append(("Healthcheck.StartInterval", 44)) }
    for mount in spec.mounts ?? [] {
      if mount.volumeOptions?.subpath?.isEmpty == false { used.append(("VolumeOptions.Subpath of a mount", 45)) }
      if mount.tmpfsOptions?.options?.isEmpty == false { used.append(("TmpfsOptions.Options of a mount", 46)) }
    }
    return used
  }
}
