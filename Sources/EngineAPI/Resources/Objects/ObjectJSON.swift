// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// Building blocks of the objects' JSON. Members are written in the order of Go's struct fields.
enum ObjectJSON {
  /// `ID`, `Version`, `CreatedAt`, `UpdatedAt`: how every object begins. Version 0 is `{}`, as Go leaves it out.
  static func head(id: String, version: UInt64, createdAt: Timestamp, updatedAt: Timestamp) -> JSONObject {
    var object = JSONObject()
    object.append("ID", .string(id))
    object.append("Version", Self.version(version))
    object.append("CreatedAt", .string(createdAt.description))
    object.append("UpdatedAt", .string(updatedAt.description))
    return object
  }

  static func version(_ index: UInt64) -> JSONValue {
    var object = JSONObject()
    if index > 0 { object.append("Index", JSONValue(index)) }
    return .object(object)
  }

  static func port(_ port: PortConfig) -> JSONValue {
    var object = JSONObject()
    if let name = port.name, !name.isEmpty { object.append("Name", .string(name)) }
    object.append("Protocol", .string(port.transport))
    if let target = port.targetPort, target > 0 { object.append("TargetPort", JSONValue(target)) }
    if let published = port.publishedPort, published > 0 { object.append("PublishedPort", JSONValue(published)) }
    object.append("PublishMode", .string(port.isIngress ? "ingress" : "host"))
    return .object(object)
  }
}

extension JSONObject {
  /// Leaves the member out when the text is empty.
  mutating func append(nonEmpty key: String, _ text: String) {
    if !text.isEmpty { append(key, .string(text)) }
  }
}
