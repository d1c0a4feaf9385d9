// SPDX-License-Identifier: Apache-2.0

/// A container's security options, in the Engine API's shape.
package struct Privileges: Sendable, Hashable {
  package struct CredentialSpec: Codable, Sendable, Hashable {
    /// The id of a config that is referred to with a runtime target.
    package var config: String
    package var file: String
    package var registry: String
  }
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
    /// The profile's JSON in base64.
    package var profile: String?
  }
  package struct AppArmor: Codable, Sendable, Hashable {
    /// `default` or `disabled`.
    package var mode: String?
  }

  /// Of Windows: an engine of Linux refuses it. One of the three is not empty.
  package var credentialSpec: CredentialSpec?
  package var seLinuxContext: SELinuxContext?
  package var seccomp: Seccomp?
  package var appArmor: AppArmor?
  package var noNewPrivileges: Bool
}

extension Privileges: Codable {
  private enum CodingKeys: String, CodingKey {
    case credentialSpec, seLinuxContext = "SELinuxContext", seccomp, appArmor, noNewPrivileges
  }

  package init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    credentialSpec = try fields.decodeIfPresent(CredentialSpec.self, forKey: .credentialSpec)
    seLinuxContext = try fields.decodeIfPresent(SELinuxContext.self, forKey: .seLinuxContext)
    seccomp = try fields.decodeIfPresent(Seccomp.self, forKey: .seccomp)
    appArmor = try fields.decodeIfPresent(AppArmor.self, forKey: .appArmor)
    noNewPrivileges = try fields.decodeIfPresent(Bool.self, forKey: .noNewPrivileges) ?? false
  }

  /// The first two are always there, as `null` where they are not set, and so is the last; profiles only where they are.
  package func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(credentialSpec, forKey: .credentialSpec)
    try fields.encode(seLinuxContext, forKey: .seLinuxContext)
    try fields.encodeIfPresent(seccomp, forKey: .seccomp)
    try fields.encodeIfPresent(appArmor, forKey: .appArmor)
    try fields.encode(noNewPrivileges, forKey: .noNewPrivileges)
  }
}
