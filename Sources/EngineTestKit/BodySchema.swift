// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineClient

/// What the members of a request's body may be. A real engine ignores what it does not know; here that is an error, so that a field
/// misspelt, or sent to an engine that is too old for it, is found.
indirect enum BodySchema: Sendable {
  case text, flag, number
  case list(BodySchema)
  /// Keys of the user's own.
  case map(BodySchema)
  case object([String: BodySchema])
  /// Known from API 1.`minor` on.
  case since(Int, BodySchema)

  static let texts = BodySchema.list(.text)
  static let options = BodySchema.map(.text)

  /// Throws what the engine answers to a body that is not of this kind.
  func check(_ value: JSONValue, at path: String = "", minor: Int) throws {
    switch (self, value) {
    case (.since(let needed, let inner), _):
      guard minor >= needed else { throw Self.refusal("\(path) is of API 1.\(needed), and this engine speaks 1.\(minor)") }
      try inner.check(value, at: path, minor: minor)
    case (_, .null), (.text, .string), (.flag, .bool), (.number, .number): break
    case (.list(let element), .array(let values)):
      for each in values { try element.check(each, at: path, minor: minor) }
    case (.map(let element), .object(let object)):
      for member in object.members { try element.check(member.value, at: "\(path).\(member.key)", minor: minor) }
    case (.object(let members), .object(let object)): try check(members, object, path, minor)
    default: throw Self.refusal("\(path.isEmpty ? "the body" : path) is of the wrong type")
    }
  }

  private func check(_ members: [String: BodySchema], _ object: JSONObject, _ path: String, _ minor: Int) throws {
    for member in object.members {
      let place = path.isEmpty ? member.key : "\(path).\(member.key)"
      guard let schema = members[member.key] else { throw Self.refusal("no engine knows \(place)") }
      try schema.check(member.value, at: place, minor: minor)
    }
  }

  static func refusal(_ text: String) -> EngineError { EngineError(.badRequest, status: 400, "invalid JSON: \(text)") }
}

extension BodySchema {
  static let network = BodySchema.object([
    "Name": .text, "CheckDuplicate": .flag, "Driver": .text, "Scope": .text, "Internal": .flag, "Attachable": .flag,
    "Ingress": .flag, "ConfigOnly": .flag, "ConfigFrom": .object(["Network": .text]), "EnableIPv4": .since(48, .flag),
    "EnableIPv6": .flag, "Options": options, "Labels": options,
    "IPAM": .object([
      "Driver": .text, "Options": options,
      "Config": .list(.object(["Subnet": .text, "IPRange": .text, "Gateway": .text, "AuxiliaryAddresses": options])),
    ]),
  ])

  static let volume = BodySchema.object(["Name": .text, "Driver": .text, "DriverOpts": options, "Labels": options])

  static let endpoint = BodySchema.object([
    "IPAMConfig": .object(["IPv4Address": .text, "IPv6Address": .text, "LinkLocalIPs": texts]), "Links": texts,
    "Aliases": texts, "DriverOpts": options, "MacAddress": .since(44, .text), "GwPriority": .since(48, .number),
  ])
}
