// SPDX-License-Identifier: Apache-2.0

/// A value of the wrong kind for its field, in the form of Go's decoder.
package struct JSONTypeError: Error, Hashable, CustomStringConvertible {
  package var found: String
  /// The field's path, for instance `ServiceSpec.Mode.Replicated.Replicas`.
  package var path: String
  package var wanted: String

  package var description: String {
    let target = path.contains(".") ? "struct field \(path) of type \(wanted)" : "value of type swarm.\(path)"
    return "json: cannot unmarshal \(found) into Go \(target)"
  }
}

/// Decodes types by the rules of Go's `encoding/json`, which clients rely on: keys match in any case, null and absent mean the zero
/// value, unknown keys are ignored, the last of two equal keys wins.
package struct GoJSONDecoder {
  private let omitsEmpty: Bool

  /// With `omitsEmpty` an optional text, list or map that is empty is as good as absent: what `GoJSONEncoder` leaves out.
  package init(omitsEmpty: Bool = false) { self.omitsEmpty = omitsEmpty }

  /// Throws `JSONSyntaxError` or `JSONTypeError`, or what a type's own `init(from:)` throws.
  package func decode<T: Decodable>(_ type: T.Type, from bytes: some Sequence<UInt8>) throws -> T {
    try decode(type, from: try JSONValue(parsing: bytes))
  }

  package func decode<T: Decodable>(_ type: T.Type, from value: JSONValue) throws -> T {
    let path = [PathKey(stringValue: "\(T.self)")]
    return try ValueDecoder(value: value, path: path, omitsEmpty: omitsEmpty, isMap: T.self is any StringKeyedMap.Type).value(
      type)
  }
}

private struct ValueDecoder: Decoder {
  var value: JSONValue
  var path: [PathKey]
  var omitsEmpty: Bool
  var isMap = false
  var codingPath: [any CodingKey] { path }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func value<T: Decodable>(_ type: T.Type) throws -> T {
    if type == JSONValue.self, let raw = value as? T { return raw }
    return try T(from: self)
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    switch value {
    case .object(let object): KeyedDecodingContainer(KeyedValues(object: object, decoder: self))
    case .null: KeyedDecodingContainer(KeyedValues(object: JSONObject(), decoder: self))
    default: throw mismatch("object")
    }
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    switch value {
    case .array(let array): UnkeyedValues(array: array, decoder: self)
    case .null: UnkeyedValues(array: [], decoder: self)
    default: throw mismatch("slice")
    }
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer { SingleValue(decoder: self) }

  func mismatch(_ wanted: String) -> JSONTypeError {
    // Go tells the number only where it looked at it as one.
    let wantsNumber = ["int", "uint", "float"].contains { wanted.hasPrefix($0) }
    let found = wantsNumber ? value.kind : String(value.kind.prefix { $0 != " " })
    return JSONTypeError(found: found, path: path.map(\.stringValue).joined(separator: "."), wanted: wanted)
  }

  func child(_ value: JSONValue, _ key: String, _ type: Any.Type) -> ValueDecoder {
    ValueDecoder(
      value: value, path: path + [PathKey(stringValue: key)], omitsEmpty: omitsEmpty, isMap: type is any StringKeyedMap.Type)
  }
}

private struct KeyedValues<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let members: [JSONObject.Member]
  /// Of a map, which may have any number of keys. A struct's few are looked through.
  let values: [String: JSONValue]
  let decoder: ValueDecoder
  var codingPath: [any CodingKey] { decoder.codingPath }
  var allKeys: [Key] { members.compactMap { Key(stringValue: $0.key) } }

  init(object: JSONObject, decoder: ValueDecoder) {
    members = object.members
    values = decoder.isMap ? Dictionary(members.map { ($0.key, $0.value) }) { $1 } : [:]
    self.decoder = decoder
  }

  private func find(_ key: Key) -> JSONValue {
    if decoder.isMap { return values[key.stringValue] ?? .null }
    return members.last { GoJSONKey.matches(key.stringValue, $0.key) }?.value ?? .null
  }

  private func child(_ key: Key, _ type: Any.Type) -> ValueDecoder {
    let name = decoder.isMap ? key.stringValue : GoJSONKey.name(key.stringValue)
    return decoder.child(find(key), name, type)
  }

  func contains(_ key: Key) -> Bool { !find(key).isNull }
  func decodeNil(forKey key: Key) throws -> Bool { find(key).isNull }
  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try child(key, type).value(type) }

  func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
    guard contains(key) else { return nil }
    let value = try decode(type, forKey: key)
    guard decoder.omitsEmpty, !decoder.isMap, let list = value as? any Collection, list.isEmpty else { return value }
    return nil
  }

  func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
    guard contains(key) else { return nil }
    let text = try decode(type, forKey: key)
    return decoder.omitsEmpty && !decoder.isMap && text.isEmpty ? nil : text
  }

  func superDecoder() throws -> any Decoder { decoder }
  func superDecoder(forKey key: Key) throws -> any Decoder { child(key, Any.self) }
  func nestedContainer<N: CodingKey>(keyedBy type: N.Type, forKey key: Key) throws -> KeyedDecodingContainer<N> {
    try child(key, Any.self).container(keyedBy: type)
  }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try child(key, Any.self).unkeyedContainer()
  }
}

private struct UnkeyedValues: UnkeyedDecodingContainer {
  let array: [JSONValue]
  let decoder: ValueDecoder
  var currentIndex = 0
  var codingPath: [any CodingKey] { decoder.codingPath }
  var count: Int? { array.count }
  var isAtEnd: Bool { currentIndex >= array.count }

  init(array: [JSONValue], decoder: ValueDecoder) {
    self.array = array
    self.decoder = decoder
  }

  private mutating func next(_ type: Any.Type) throws -> ValueDecoder {
    guard !isAtEnd else { throw decoder.mismatch("element") }
    defer { currentIndex += 1 }
    return ValueDecoder(
      value: array[currentIndex], path: decoder.path, omitsEmpty: decoder.omitsEmpty, isMap: type is any StringKeyedMap.Type)
  }

  mutating func decodeNil() throws -> Bool {
    guard !isAtEnd, array[currentIndex].isNull else { return false }
    currentIndex += 1
    return true
  }
  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try next(type).value(type) }
  mutating func superDecoder() throws -> any Decoder { try next(Any.self) }
  mutating func nestedContainer<N: CodingKey>(keyedBy type: N.Type) throws -> KeyedDecodingContainer<N> {
    try next(Any.self).container(keyedBy: type)
  }
  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next(Any.self).unkeyedContainer() }
}

private struct SingleValue: SingleValueDecodingContainer {
  let decoder: ValueDecoder
  var codingPath: [any CodingKey] { decoder.codingPath }

  func decodeNil() -> Bool { decoder.value.isNull }

  func decode<T: Decodable>(_ type: T.Type) throws -> T {
    switch decoder.value {
    case .null:
      if let zero = Self.zero(type) { return zero }
    case .bool(let bool):
      if let value = bool as? T { return value }
    case .string(let string):
      if let value = string as? T { return value }
    case .number(let text):
      if let number = Self.number(type, text) { return number }
    case .array, .object: break
    }
    if Self.isPrimitive(type) { throw decoder.mismatch(Self.goName(type)) }
    return try decoder.value(type)
  }

  private static func zero<T>(_ type: T.Type) -> T? {
    switch type {
    case is Bool.Type: false as? T
    case is String.Type: "" as? T
    default: number(type, "0")
    }
  }

  private static func number<T>(_ type: T.Type, _ text: String) -> T? {
    if let integer = type as? any FixedWidthInteger.Type { return parse(integer, text) as? T }
    if type == Double.self { return finite(Double(text)) as? T }
    if type == Float.self { return finite(Float(text)) as? T }
    return nil
  }

  /// JSON has no infinity, so what reads as one is a number that does not fit.
  private static func finite<F: BinaryFloatingPoint>(_ number: F?) -> F? { number.flatMap { $0.isFinite ? $0 : nil } }

  private static func parse<I: FixedWidthInteger>(_ type: I.Type, _ text: String) -> I? { I(text) }

  private static func isPrimitive(_ type: Any.Type) -> Bool {
    type is any FixedWidthInteger.Type || type is any BinaryFloatingPoint.Type || type == Bool.self || type == String.self
  }

  private static func goName(_ type: Any.Type) -> String {
    type == Double.self ? "float64" : type == Float.self ? "float32" : "\(type)".lowercased()
  }
}

extension JSONValue {
  fileprivate var kind: String {
    switch self {
    case .null: "null"
    case .bool: "bool"
    case .number(let text): "number \(text)"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }
}
