// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import EngineAPI
import Logging

/// What skepd is told to do, each value checked: from flags, then the environment, then the config file, then the defaults.
struct Options: Sendable, Equatable {
  var engine: String
  var listen: [String]
  var stateDirectory: String
  var runDirectory: String
  var advertiseAddress: String?
  /// The relay's program; `nil` when it is a service of its own.
  var relay: String?
  var logLevel: Logger.Level
  /// Where the metrics are told beside their unix socket.
  var metricsAddress: ListenAddress?

  var metricsSocket: String { runDirectory + "/metrics.sock" }
}

/// The settings by their one name: `state-dir` is `--state-dir`, `SKEP_STATE_DIR`, and the key `state-dir` of the config file.
enum Setting: String, CaseIterable {
  case engine, listen
  case stateDir = "state-dir"
  case runDir = "run-dir"
  case advertiseAddr = "advertise-addr"
  case relay
  case logLevel = "log-level"
  case metricsAddr = "metrics-addr"

  var variable: String { "SKEP_" + rawValue.uppercased().replacing("-", with: "_") }
}

/// An option that cannot be used, named with where it was written.
struct OptionError: Error, CustomStringConvertible {
  var description: String
}

extension Options {
  static let externalRelay = "external"
  static let defaultConfigFile = "/etc/skep/skepd.json"

  /// `flags` beat `environment`, which beats `file`. `listen` takes several addresses separated by commas.
  init(flags: [Setting: String], environment: [String: String], file: [Setting: String], executableDirectory: String)
    throws(OptionError)
  {
    func value(_ setting: Setting) -> (text: String, origin: String)? {
      if let text = flags[setting] { return (text, "--\(setting.rawValue)") }
      if let text = environment[setting.variable] { return (text, setting.variable) }
      return file[setting].map { ($0, "\(setting.rawValue) in the config file") }
    }
    engine = try Self.unixPath(value(.engine) ?? ("unix:///var/run/docker.sock", ""))
    listen = try Self.listenPaths(value(.listen) ?? ("unix:///run/skep/docker.sock", ""))
    stateDirectory = try Self.absolutePath(value(.stateDir) ?? ("/var/lib/skep", ""))
    runDirectory = try Self.absolutePath(value(.runDir) ?? (Self.directory(of: listen[0]), ""))
    relay = try Self.relay(value(.relay) ?? (executableDirectory + "/skep-relay", ""))
    advertiseAddress = value(.advertiseAddr)?.text
    logLevel = try Self.level(value(.logLevel) ?? ("info", ""))
    if let address = value(.metricsAddr) { metricsAddress = try Self.tcpAddress(address) }
    guard !listen.contains(metricsSocket) else {
      throw OptionError(description: "listen and the metrics are the same socket \(metricsSocket)")
    }
    guard !listen.contains(engine) else {
      throw OptionError(
        description: "engine and listen are the same socket \(engine): Skep must listen on another one than the engine")
    }
  }

  static func directory(of path: String) -> String {
    let parts = path.split(separator: "/").dropLast()
    return "/" + parts.joined(separator: "/")
  }

  private static func unixPath(_ value: (text: String, origin: String)) throws(OptionError) -> String {
    let prefix = "unix://"
    guard value.text.hasPrefix(prefix), value.text.dropFirst(prefix.count).hasPrefix("/") else {
      throw OptionError(description: "\(value.origin): \"\(value.text)\" is not of the form unix:///path/to.sock")
    }
    let path = String(value.text.dropFirst(prefix.count))
    // sizeof(sockaddr_un.sun_path) is 108 with its final zero.
    guard path.utf8.count <= 107 else {
      throw OptionError(description: "\(value.origin): the socket path \(path) is longer than 107 bytes")
    }
    return path
  }

  private static func listenPaths(_ value: (text: String, origin: String)) throws(OptionError) -> [String] {
    var paths: [String] = []
    for part in value.text.split(separator: ",", omittingEmptySubsequences: false) {
      paths.append(try unixPath((String(part), value.origin)))
    }
    return paths
  }

  private static func tcpAddress(_ value: (text: String, origin: String)) throws(OptionError) -> ListenAddress {
    guard let address = ListenAddress(tcp: value.text) else {
      throw OptionError(
        description: "\(value.origin): \"\(value.text)\" is no address and port, such as 127.0.0.1:9323 or [::1]:9323")
    }
    return address
  }

  private static func relay(_ value: (text: String, origin: String)) throws(OptionError) -> String? {
    if value.text == externalRelay { return nil }
    guard value.text.hasPrefix("/") else {
      throw OptionError(description: "\(value.origin): \"\(value.text)\" is neither an absolute path nor \(externalRelay)")
    }
    return value.text
  }

  private static func absolutePath(_ value: (text: String, origin: String)) throws(OptionError) -> String {
    guard value.text.hasPrefix("/") else {
      throw OptionError(description: "\(value.origin): \"\(value.text)\" is not an absolute path")
    }
    return value.text
  }

  private static func level(_ value: (text: String, origin: String)) throws(OptionError) -> Logger.Level {
    guard let level = Logger.Level(rawValue: value.text) else {
      let names = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
      throw OptionError(description: "\(value.origin): \"\(value.text)\" is no log level; there are \(names)")
    }
    return level
  }
}
