// SPDX-License-Identifier: Apache-2.0

/// One JSON value as clients of the Engine API write it. Numbers keep their text, so 64-bit values stay exact.
package enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)
}

/// The members of a JSON object in the order they were written.
package struct JSONObject: Sendable, Hashable {
  package struct Member: Sendable, Hashable {
    package var key: String
    package var value: JSONValue
  }

  package private(set) var members: [Member] = []

  package init() {}

  /// The member with exactly this key; the last one wins, as in Go. Setting `nil` removes every member of that name.
  package subscript(key: String) -> JSONValue? {
    get { members.last { $0.key == key }?.value }
    set {
      let index = members.lastIndex { $0.key == key }
      switch (index, newValue) {
      case (let index?, let value?): members[index].value = value
      case (nil, let value?): members.append(Member(key: key, value: value))
      case (_, nil): members.removeAll { $0.key == key }
      }
    }
  }

  /// The last member whose key equals `key` in any case, as Go's decoder looks fields up.
  package func member(ignoringCase key: String) -> JSONValue? {
    if let exact = self[key] { return exact }
    let wanted = key.lowercased()
    return members.last { $0.key.lowercased() == wanted }?.value
  }

  /// Adds a member without looking for an earlier one of the same name.
  package mutating func append(_ key: String, _ value: JSONValue) {
    members.append(Member(key: key, value: value))
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(integerLiteral value: Int) { self = .number(String(value)) }
  package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  package init(nilLiteral: ()) { self = .null }
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    var object = JSONObject()
    for (key, value) in elements { object[key] = value }
    self = .object(object)
  }
}

extension JSONValue {
  package init(_ value: some BinaryInteger) { self = .number(String(value)) }

  package init(_ strings: [String]) { self = .array(strings.map(JSONValue.string)) }

  /// A map with its keys sorted, as Go prints one.
  package init(_ map: [String: String]) {
    var object = JSONObject()
    for (key, value) in map.sorted(by: { $0.key < $1.key }) { object.append(key, .string(value)) }
    self = .object(object)
  }

  /// A member of an object by exact key; setting makes an object of anything that is none.
  package subscript(key: String) -> JSONValue? {
    get { objectValue?[key] }
    set {
      var object = objectValue ?? JSONObject()
      object[key] = newValue
      self = .object(object)
    }
  }

  package var objectValue: JSONObject? { if case .object(let object) = self { object } else { nil } }
  package var arrayValue: [JSONValue]? { if case .array(let array) = self { array } else { nil } }
  package var stringValue: String? { if case .string(let string) = self { string } else { nil } }
  package var boolValue: Bool? { if case .bool(let bool) = self { bool } else { nil } }
  package var intValue: Int? { if case .number(let text) = self { Int(text) } else { nil } }
  package var isNull: Bool { self == .null }
}

/// Lets a type keep a part it does not look into. Only our own coders know how; any other is refused.
extension JSONValue: Codable {
  package init(from decoder: any Decoder) throws {
    throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "JSONValue needs GoJSONDecoder"))
  }

  package func encode(to encoder: any Encoder) throws {
    throw EncodingError.invalidValue(
      self, .init(codingPath: encoder.codingPath, debugDescription: "JSONValue needs GoJSONEncoder"))
  }
}
