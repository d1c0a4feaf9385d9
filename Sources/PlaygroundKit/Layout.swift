// SPDX-License-Identifier: Apache-2.0

/// Every name, path and address of a playground, derived from its directory alone: so `down` finds what to remove even when
/// nothing but the directory's name is left, and several playgrounds live side by side.
package struct Layout: Sendable, Equatable {
  package static let defaultDirectory = "/var/tmp/skep-playground"
  package static let hostLimit = 200

  /// Absolute, without a trailing slash.
  package let directory: String
  /// Short, in the names of everything the machine can see.
  package let id: String

  /// `directory` must be absolute; sockets' paths must fit (a unix socket address holds 107 bytes).
  package init(directory given: String) throws {
    let parts = given.split(separator: "/")
    let path = "/" + parts.joined(separator: "/")
    guard given.hasPrefix("/"), !parts.isEmpty, !parts.contains("."), !parts.contains("..") else {
      throw PlaygroundError(.badDirectory, "the playground's directory must be an absolute path below /: \(given)")
    }
    guard !path.hasPrefix("/run/"), !path.hasPrefix("/var/run/"), !path.hasPrefix("/proc/"), !path.hasPrefix("/sys/") else {
      throw PlaygroundError(.badDirectory, "\(path): hosts have a /run of their own; choose a directory elsewhere")
    }
    guard "\(path)/n\(Self.hostLimit)/engine.sock".utf8.count < 108 else {
      throw PlaygroundError(.badDirectory, "\(path) is too long: the sockets' paths must stay below 108 bytes")
    }
    directory = path
    id = Self.identifier(path)
  }

  /// FNV-1a, folded to 24 bits: 6 hexadecimal digits.
  static func identifier(_ text: String) -> String {
    let hash = text.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
    let digits = String((hash >> 24) ^ (hash & 0xff_ffff), radix: 16)
    return String(repeating: "0", count: 6 - digits.count) + digits
  }

  package var stateFile: String { "\(directory)/playground.json" }
  package var lockFile: String { "\(directory)/playground.lock" }
  package var resolvConf: String { "\(directory)/resolv.conf" }
  package var imageDirectory: String { "\(directory)/image" }
  /// The docker CLI's configuration for calls of the kit, so that none of the user's own plays in.
  package var clientConfiguration: String { "\(directory)/docker" }

  /// The prefix of every namespace, process and control group of this playground.
  package var prefix: String { "skep-\(id)-" }
  package var switchNamespace: String { prefix + "sw" }
  package var clientNamespace: String { namespace(of: "client") }
  package var clientAddress: String { "10.77.0.254" }

  package func namespace(of host: String) -> String { prefix + host }
  package func directory(of host: String) -> String { "\(directory)/\(host)" }

  package static func hostNames(_ count: Int) -> [String] { (1...max(1, count)).map { "n\($0)" } }

  /// The address of `n1`, `n2` and so on: 10.77.0.1, 10.77.0.2. Playgrounds never meet, so all use the same ones.
  package static func address(ofHost number: Int) -> String { "10.77.0.\(number)" }
}
