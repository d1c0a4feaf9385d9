// SPDX-License-Identifier: Apache-2.0

/// Where a container has a secret or a config as a file.
package struct FileTarget: Codable, Sendable, Hashable {
  /// A path; one that is relative begins at `/run/secrets` for secrets, at `/` for configs.
  package var name: String
  /// Numbers in decimal; swarm looks at them only where the file is made.
  package var uid: String
  package var gid: String
  /// Permission bits.
  package var mode: UInt32

  package init(name: String, uid: String = "0", gid: String = "0", mode: UInt32 = 0o444) {
    self.name = name
    self.uid = uid
    self.gid = gid
    self.mode = mode
  }
}

/// A service's use of a secret, in the Engine API's shape.
package struct SecretReference: Codable, Sendable, Hashable {
  package var file: FileTarget?
  package var secretID: String
  package var secretName: String

  package init(id: String, name: String, file: FileTarget?) {
    self.file = file
    secretID = id
    secretName = name
  }
}

/// A service's use of a config, in the Engine API's shape: exactly one of the targets is there.
package struct ConfigReference: Codable, Sendable, Hashable {
  /// Not a file: the engine's own use, by `CredentialSpec`.
  package struct RuntimeTarget: Codable, Sendable, Hashable {
    package init() {}
  }

  package var file: FileTarget?
  package var runtime: RuntimeTarget?
  package var configID: String
  package var configName: String

  package init(id: String, name: String, file: FileTarget?, runtime: RuntimeTarget? = nil) {
    self.file = file
    self.runtime = runtime
    configID = id
    configName = name
  }
}

/// What the two have in common.
package struct PayloadReference: Sendable, Hashable {
  package var kind: PayloadKind
  package var id: String
  package var name: String
  package var file: FileTarget?

  /// Where the file is in the container, absolute; `nil` for none.
  package var path: String? {
    guard let name = file?.name else { return nil }
    if name.hasPrefix("/") { return name }
    return (kind == .secret ? "/run/secrets/" : "/") + name
  }
}

extension ContainerSpec {
  /// In the spec's order, secrets first.
  package var payloadReferences: [PayloadReference] { PayloadKind.allCases.flatMap(payloadReferences) }

  package func payloadReferences(_ kind: PayloadKind) -> [PayloadReference] {
    switch kind {
    case .secret:
      (secrets ?? []).map { PayloadReference(kind: kind, id: $0.secretID, name: $0.secretName, file: $0.file) }
    case .config:
      (configs ?? []).map { PayloadReference(kind: kind, id: $0.configID, name: $0.configName, file: $0.file) }
    }
  }
}
