// SPDX-License-Identifier: Apache-2.0

/// What a playground is made of. It's kept in the playground's directory, so `start` after a crash makes the same host again.
package struct Configuration: Codable, Sendable, Equatable {
  package enum Daemons: String, Codable, Sendable {
    /// An engine, skepd and the relay on every host.
    case all
    /// Only an engine: for tests of the playground and for comparing with swarm mode.
    case engineOnly
  }

  package enum StorageDriver: String, Codable, Sendable { case overlay2, vfs }

  package var daemons: Daemons
  /// The folder of `skepd` and `skep-relay`; nil is the folder of the running program.
  package var binaries: String?
  /// skepd's log level.
  package var logLevel: String
  /// Given to skepd after the playground's own arguments.
  package var skepdArguments: [String]
  /// Set for skepd, and so for the relays it starts. A playground of an earlier kit has none.
  package var skepdEnvironment: [String: String]?
  /// Given to every dockerd after the playground's own arguments.
  package var engineArguments: [String]
  /// The web image every engine gets; nil for none.
  package var webImage: String?
  /// nil lets `up` try overlay2 and fall back on vfs.
  package var storageDriver: StorageDriver?

  package init(
    daemons: Daemons = .all, binaries: String? = nil, logLevel: String = "info", skepdArguments: [String] = [],
    engineArguments: [String] = ["--live-restore"], webImage: String? = WebImage.name, storageDriver: StorageDriver? = nil
  ) {
    self.daemons = daemons
    self.binaries = binaries
    self.logLevel = logLevel
    self.skepdArguments = skepdArguments
    self.engineArguments = engineArguments
    self.webImage = webImage
    self.storageDriver = storageDriver
  }

  package static var defaults: Configuration { Configuration() }

  package func with(_ change: (inout Configuration) -> Void) -> Configuration {
    var copy = self
    change(&copy)
    return copy
  }
}
