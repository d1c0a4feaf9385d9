// SPDX-License-Identifier: Apache-2.0

/// What a container may do beyond the engine's defaults, or not. Written as swarm writes it: the first two also where they are absent.
package struct Privileges: Codable, Sendable, Hashable {
  package struct SELinuxContext: Codable, Sendable, Hashable {
    package var disable: Bool
    package var user: String
    package var role: String
    package var type: String
    package var level: String
  }
  package struct Seccomp: Codable, Sendable, Hashable {
    /// `default`, `unconfined` or `custom`.
    package var mode: String?
    /// The JSON of a custom profile, in base64.
    package var profile: String?
  }
  package struct AppArmor: Codable, Sendable, Hashable {
    /// `default` or `disabled`.
    package var mode: String?
  }

  package var credentialSpec: JSONValue
  package var selinuxContext: SELinuxContext?
  package var seccomp: Seccomp?
  package var appArmor: AppArmor?
  package var noNewPrivileges: Bool

  private enum CodingKeys: String, CodingKey {
    case credentialSpec = "CredentialSpec"
    case selinuxContext = "SELinuxContext"
    case seccomp = "Seccomp"
    case appArmor = "AppArmor"
    case noNewPrivileges = "NoNewPrivileges"
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(credentialSpec, forKey: .credentialSpec)
    if let selinuxContext {
      try container.encode(selinuxContext, forKey: .selinuxContext)
    } else {
      try container.encodeNil(forKey: .selinuxContext)
    }
    try container.encodeIfPresent(seccomp, forKey: .seccomp)
    try container.encodeIfPresent(appArmor, forKey: .appArmor)
    try container.encode(noNewPrivileges, forKey: .noNewPrivileges)
  }

  /// A mode that swarm does not know is its default.
  func canonical() -> Privileges {
    var privileges = self
    if let mode = seccomp?.mode ?? seccomp.map({ _ in "" }) {
      privileges.seccomp?.mode = ["unconfined", "custom"].contains(mode) ? mode : "default"
    }
    if let appArmor { privileges.appArmor?.mode = appArmor.mode == "disabled" ? "disabled" : "default" }
    return privileges
  }

  /// Go reads the profile as bytes.
  func checkConversion() throws(SpecError) {
    try checkCredentials()
    guard let profile = seccomp?.profile, Base64.decode(profile) == nil else { return }
    let start = profile.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "+" || $0 == "/") }
    throw SpecError("invalid JSON: illegal base64 data at input byte \(start.count)")
  }

  private func checkCredentials() throws(SpecError) {
    guard let object = credentialSpec.objectValue else { return }
    let given = ["config", "file", "registry"].filter { object.member(ignoringCase: $0)?.stringValue?.isEmpty == false }
    let names = given.map(\.goQuoted)
    switch names.count {
    case 0: throw SpecError(#"invalid CredentialSpec: must either provide "file", "registry", or "config" for credential spec"#)
    case 1: return
    case 2: throw SpecError("invalid CredentialSpec: cannot specify both \(names[0]) and \(names[1]) credential specs")
    default:
      let text = "cannot specify both \(names[0]), \(names[1]), and \(names[2]) credential specs"
      throw SpecError("invalid CredentialSpec: \(text)")
    }
  }
}
