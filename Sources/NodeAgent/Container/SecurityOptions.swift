// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import FoundationEssentials

/// A spec's `Privileges` as the engine's `SecurityOpt`.
enum SecurityOptions {
  static func list(_ privileges: JSONValue) -> [String] {
    guard let fields = privileges.objectValue else { return [] }
    var options = selinux(fields.member(ignoringCase: "SELinuxContext")?.objectValue)
    options += seccomp(fields.member(ignoringCase: "Seccomp")?.objectValue)
    if mode(fields.member(ignoringCase: "AppArmor")?.objectValue) == "disabled" { options.append("apparmor=unconfined") }
    if fields.member(ignoringCase: "NoNewPrivileges")?.boolValue == true { options.append("no-new-privileges=true") }
    return options
  }

  private static func selinux(_ context: JSONObject?) -> [String] {
    guard let context else { return [] }
    if context.member(ignoringCase: "Disable")?.boolValue == true { return ["label=disable"] }
    return ["User", "Role", "Type", "Level"].compactMap { key in
      guard let value = context.member(ignoringCase: key)?.stringValue, !value.isEmpty else { return nil }
      return "label=\(key.lowercased()):\(value)"
    }
  }

  private static func seccomp(_ seccomp: JSONObject?) -> [String] {
    switch mode(seccomp) {
    case "unconfined": return ["seccomp=unconfined"]
    case "custom":
      let profile = seccomp?.member(ignoringCase: "Profile")?.stringValue.flatMap { Data(base64Encoded: $0) }
      return ["seccomp=\(String(decoding: profile ?? Data(), as: UTF8.self))"]
    default: return []
    }
  }

  private static func mode(_ object: JSONObject?) -> String? { object?.member(ignoringCase: "Mode")?.stringValue }
}
