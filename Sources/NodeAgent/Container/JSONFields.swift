// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// A JSON object under construction that leaves out what is absent.
struct JSONFields {
  private(set) var object = JSONObject()

  subscript(key: String) -> JSONValue? {
    get { object[key] }
    set { if let newValue { object[key] = newValue } }
  }

  mutating func set(_ key: String, _ value: String?) {
    if let value, !value.isEmpty { object[key] = .string(value) }
  }

  mutating func set(_ key: String, _ value: Bool?) {
    if let value { object[key] = .bool(value) }
  }

  mutating func set(_ key: String, _ value: (some BinaryInteger)?) {
    if let value { object[key] = JSONValue(value) }
  }

  mutating func set(_ key: String, _ values: [String]?) {
    if let values, !values.isEmpty { object[key] = JSONValue(values) }
  }

  mutating func set(_ key: String, _ values: [String: String]?) {
    if let values, !values.isEmpty { object[key] = JSONValue(values) }
  }
}
