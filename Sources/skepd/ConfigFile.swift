// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Foundation

/// The config file: one JSON object whose keys are the flags' names, like Docker's own daemon.json.
enum ConfigFile {
  /// `path` is what the user named; without it the default file is read if there is one.
  static func read(path: String?) throws(OptionError) -> [Setting: String] {
    let file = path ?? Options.defaultConfigFile
    guard let data = FileManager.default.contents(atPath: file) else {
      if path == nil, !FileManager.default.fileExists(atPath: file) { return [:] }
      throw OptionError(description: "the config file \(file) cannot be read")
    }
    return try parse(Array(data), file: file)
  }

  static func parse(_ bytes: [UInt8], file: String) throws(OptionError) -> [Setting: String] {
    let json: JSONValue
    do { json = try JSONValue(parsing: bytes) } catch {
      throw OptionError(description: "the config file \(file) is not JSON: \(error) at byte \(error.offset)")
    }
    guard let members = json.objectValue?.members else {
      throw OptionError(description: "the config file \(file) must hold one JSON object")
    }
    var settings: [Setting: String] = [:]
    for member in members {
      guard let setting = Setting(rawValue: member.key) else {
        let known = Setting.allCases.map(\.rawValue).joined(separator: ", ")
        throw OptionError(description: "the config file \(file) has the unknown key \"\(member.key)\"; there are \(known)")
      }
      guard let text = text(of: member.value) else {
        throw OptionError(description: "the config file \(file): \"\(member.key)\" must be a string")
      }
      settings[setting] = text
    }
    return settings
  }

  private static func text(of value: JSONValue) -> String? {
    if let array = value.arrayValue {
      let strings = array.compactMap(\.stringValue)
      return strings.count == array.count ? strings.joined(separator: ",") : nil
    }
    return value.stringValue
  }
}
