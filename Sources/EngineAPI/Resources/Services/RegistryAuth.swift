// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// `X-Registry-Auth`: read only to know whether a client relies on it.
enum RegistryAuth {
  static let warning =
    "registry credentials are not passed on to the engine by this release of Skep: "
    + "images must be public or already on the host"

  /// Whether the header holds anything to log in with. Clients send an empty object when they have nothing.
  static func hasCredentials(_ header: String?) -> Bool {
    guard let header, let bytes = Base64.decode(header), let object = try? JSONValue(parsing: bytes).objectValue else {
      return false
    }
    return ["username", "password", "auth", "identitytoken", "registrytoken"].contains {
      object.member(ignoringCase: $0)?.stringValue?.isEmpty == false
    }
  }
}
