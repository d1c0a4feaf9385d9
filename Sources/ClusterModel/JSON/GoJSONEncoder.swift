// SPDX-License-Identifier: Apache-2.0

/// Encodes types as Go prints them: property `nodeID` under key `NodeID`, absent optionals left out, and so are optional strings,
/// lists and maps that are empty ("omitempty"). A non-optional property is always there.
package struct GoJSONEncoder {
  package init() {}

  package func encode(_ value: some Encodable) throws -> JSONValue { try ValueEncoder.value(of: value) }

  package func bytes(_ value: some Encodable) throws -> [UInt8] { try encode(value).bytes }
}

/// Where one container puts its result; a class because `Encoder` hands out containers that outlive the call.
private final class Slot {
  enum Content {
    case value(JSONValue)
    case object, array
  }

  var content = Content.value(.null)
  // Beside `content` and not in it: what grows inside an enum is copied for each addition.
  private var members: [(String, Slot)] = []
  private var elements: [Slot] = []

  var count: Int { elements.count }

  func add(_ key: String) -> Slot {
    let child = Slot()
    members.append((key, child))
    return child
  }

  func add() -> Slot {
    let child = Slot()
    elements.append(child)
    return child
  }

  func result(sorted: Bool) -> JSONValue {
    switch content {
    case .value(let value): return value
    case .array: return .array(elements.map { $0.result(sorted: false) })
    case .object:
      var object = JSONObject()
      for (key, slot) in sorted ? members.sorted(by: { $0.0 < $1.0 }) : members {
        object.append(key, slot.result(sorted: false))
      }
      return .object(object)
    }
  }
}

private struct ValueEncoder: Encoder {
  let slot: Slot
  let isMap: Bool
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  static func value(of value: some Encodable) throws -> JSONValue {
    if let raw = value as? JSONValue { return raw }
    let encoder = ValueEncoder(slot: Slot(), isMap: value is any StringKeyedMap)
    try value.encode(to: encoder)
    return encoder.slot.result(sorted: encoder.isMap)
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    slot.content = .object
    return KeyedEncodingContainer(KeyedSlots(slot: slot, isMap: isMap))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    slot.content = .array
    return UnkeyedSlots(slot: slot)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { SingleSlot(slot: slot) }
}

private struct KeyedSlots<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let slot: Slot
  let isMap: Bool
  var codingPath: [any CodingKey] { [] }

  private func add(_ key: Key) -> Slot { slot.add(isMap ? key.stringValue : GoJSONKey.name(key.stringValue)) }

  mutating func encodeNil(forKey key: Key) throws { _ = add(key) }
  mutating func encode(_ value: some Encodable, forKey key: Key) throws {
    add(key).content = .value(try ValueEncoder.value(of: value))
  }

  mutating func encodeIfPresent<T: Encodable>(_ value: T?, forKey key: Key) throws {
    guard let value else { return }
    let json = try ValueEncoder.value(of: value)
    if !isMap, json.isEmptyValue(of: T.self) { return }
    add(key).content = .value(json)
  }

  mutating func encodeIfPresent(_ value: String?, forKey key: Key) throws {
    guard let value, isMap || !value.isEmpty else { return }
    add(key).content = .value(.string(value))
  }

  mutating func nestedContainer<N: CodingKey>(keyedBy type: N.Type, forKey key: Key) -> KeyedEncodingContainer<N> {
    ValueEncoder(slot: add(key), isMap: false).container(keyedBy: type)
  }
  mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    ValueEncoder(slot: add(key), isMap: false).unkeyedContainer()
  }
  mutating func superEncoder() -> any Encoder { ValueEncoder(slot: slot, isMap: isMap) }
  mutating func superEncoder(forKey key: Key) -> any Encoder { ValueEncoder(slot: add(key), isMap: false) }
}

private struct UnkeyedSlots: UnkeyedEncodingContainer {
  let slot: Slot
  var codingPath: [any CodingKey] { [] }
  var count: Int { slot.count }

  private func add() -> Slot { slot.add() }

  mutating func encodeNil() throws { _ = add() }
  mutating func encode(_ value: some Encodable) throws { add().content = .value(try ValueEncoder.value(of: value)) }
  mutating func nestedContainer<N: CodingKey>(keyedBy type: N.Type) -> KeyedEncodingContainer<N> {
    ValueEncoder(slot: add(), isMap: false).container(keyedBy: type)
  }
  mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    ValueEncoder(slot: add(), isMap: false).unkeyedContainer()
  }
  mutating func superEncoder() -> any Encoder { ValueEncoder(slot: add(), isMap: false) }
}

private struct SingleSlot: SingleValueEncodingContainer {
  let slot: Slot
  var codingPath: [any CodingKey] { [] }

  mutating func encodeNil() throws { slot.content = .value(.null) }

  mutating func encode(_ value: some Encodable) throws {
    switch value {
    case let bool as Bool: slot.content = .value(.bool(bool))
    case let string as String: slot.content = .value(.string(string))
    case let integer as any BinaryInteger: slot.content = .value(.number("\(integer)"))
    case let double as Double: slot.content = .value(.number(Self.text(double)))
    // Shortest text of the 32 bits: as a double, 0.1 would read 0.10000000149011612.
    case let float as Float: slot.content = .value(.number(float == float.rounded() ? Self.text(Double(float)) : "\(float)"))
    default: slot.content = .value(try ValueEncoder.value(of: value))
    }
  }

  /// Go prints a whole number without a fraction: 0, not 0.0.
  private static func text(_ double: Double) -> String {
    double == double.rounded() && abs(double) < 1e15 ? String(Int(double)) : "\(double)"
  }
}

extension JSONValue {
  fileprivate func isEmptyValue(of type: Any.Type) -> Bool {
    switch self {
    case .array(let array): array.isEmpty
    case .object(let object): object.members.isEmpty && type is any StringKeyedMap.Type
    default: false
    }
  }
}
