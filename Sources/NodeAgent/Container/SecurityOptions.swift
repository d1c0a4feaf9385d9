// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// A spec's `Privileges` as the engine's `SecurityOpt`, in swarm's order.
enum SecurityOptions {
  static func list(_ privileges: Privileges) -> [String] {
    var options = privileges.credentialSpec.map(credentials) ?? []
    options += privileges.seLinuxContext.map(labels) ?? []
    options += seccomp(privileges.seccomp)
    if privileges.appArmor?.mode == "disabled" { options.append("apparmor=unconfined") }
    if privileges.noNewPrivileges { options.append("no-new-privileges=true") }
    return options
  }

  private static func credentials(_ spec: Privileges.CredentialSpec) -> [String] {
    [("config", spec.config), ("file", spec.file), ("registry", spec.registry)].filter { !$0.1.isEmpty }
      .map { "credentialspec=\($0.0)://\($0.1)" }
  }

  private static func labels(_ context: Privileges.SELinuxContext) -> [String] {
    let parts = [("user", context.user), ("role", context.role), ("level", context.level), ("type", context.type)]
    return (context.disable ? ["label=disable"] : [])
      + parts.filter { !$0.1.isEmpty }.map { "label=\($0.0):\($0.1)" }
  }

  private static func seccomp(_ seccomp: Privileges.Seccomp?) -> [String] {
    switch seccomp?.mode {
    case "unconfined": ["seccomp=unconfined"]
    case "custom": ["seccomp=\(String(decoding: Base64.decode(seccomp?.profile ?? "") ?? [], as: UTF8.self))"]
    default: []
    }
  }
}
