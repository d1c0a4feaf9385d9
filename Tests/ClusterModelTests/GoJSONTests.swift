// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ClusterModel

@Suite("JSON by Go's rules")
struct GoJSONTests {
  struct Limits: Codable, Equatable {
    var nanoCPUs: Int64?
    var memoryBytes: Int64
  }
  struct Sample: Codable, Equatable {
    var id: String
    var dnsConfig: Limits?
    var env: [String]?
    var labels: [String: String]?
    var replicas: UInt64?
    var ratio: Float
    var isOn: Bool
  }

  @Test("keys match in any case, null and absent are zero, unknown keys are ignored, the last duplicate wins")
  func lenient() throws {
    let text = #"{"Id":"a","id":"b","DNSCONFIG":{"nanocpus":5},"Env":null,"Nope":[{}],"labels":{"A":"1","a":"2"},"Ratio":0.5}"#
    let sample = try GoJSONDecoder().decode(Sample.self, from: Array(text.utf8))
    let wanted = Sample(
      id: "b", dnsConfig: Limits(nanoCPUs: 5, memoryBytes: 0), env: nil, labels: ["A": "1", "a": "2"], replicas: nil,
      ratio: 0.5, isOn: false)
    #expect(sample == wanted)
  }

  @Test("names are Go's, empty optionals are left out, plain ones stay, maps are sorted")
  func encoding() throws {
    let sample = Sample(
      id: "x", dnsConfig: Limits(nanoCPUs: nil, memoryBytes: 1), env: [], labels: ["b": "", "a": "1"], replicas: 0, ratio: 0,
      isOn: true)
    let text = try GoJSONEncoder().encode(sample).text
    #expect(
      text == #"{"ID":"x","DNSConfig":{"MemoryBytes":1},"Labels":{"a":"1","b":""},"Replicas":0,"Ratio":0,"IsOn":true}"#)
  }

  @Test("an optional that is empty can be read as absent, which is what writing and reading again makes of it; in a map it stays")
  func omittingEmpty() throws {
    let empty = #"{"ID":"","Env":[],"Labels":{},"DNSConfig":{},"Replicas":0}"#
    let sample = try GoJSONDecoder(omitsEmpty: true).decode(Sample.self, from: Array(empty.utf8))
    let wanted = Sample(
      id: "", dnsConfig: Limits(nanoCPUs: nil, memoryBytes: 0), env: nil, labels: nil, replicas: 0, ratio: 0, isOn: false)
    #expect(sample == wanted)
    let plain = try GoJSONDecoder().decode(Sample.self, from: Array(empty.utf8))
    #expect(plain.env == [] && plain.labels == [:])
    #expect(try GoJSONDecoder().decode(Sample.self, from: try GoJSONEncoder().encode(plain)) == wanted)
    let map = try GoJSONDecoder(omitsEmpty: true).decode([String: String].self, from: Array(#"{"a":""}"#.utf8))
    #expect(map == ["a": ""])
  }

  @Test("long lists and maps take time in proportion", .timeLimit(.minutes(1)))
  func long() throws {
    let names = (0..<200_000).map { "name-\($0)" }
    #expect(try GoJSONEncoder().encode(names).arrayValue?.count == names.count)
    let map = Dictionary(uniqueKeysWithValues: names.map { ($0, "") })
    let json = try GoJSONEncoder().encode(map)
    #expect(json.objectValue?.members.count == names.count)
    #expect(try GoJSONDecoder().decode([String: String].self, from: json) == map)
  }

  @Test(
    "a wrong kind names the field",
    arguments: [
      (#"{"Replicas":"3"}"#, "json: cannot unmarshal string into Go struct field Sample.Replicas of type uint64"),
      (#"{"Replicas":-3}"#, "json: cannot unmarshal number -3 into Go struct field Sample.Replicas of type uint64"),
      (#"{"Ratio":1e39}"#, "json: cannot unmarshal number 1e39 into Go struct field Sample.Ratio of type float32"),
      (#"{"Env":{}}"#, "json: cannot unmarshal object into Go struct field Sample.Env of type slice"),
    ])
  func wrongKind(text: String, message: String) {
    #expect(throws: JSONTypeError.self) { try GoJSONDecoder().decode(Sample.self, from: Array(text.utf8)) }
    do { _ = try GoJSONDecoder().decode(Sample.self, from: Array(text.utf8)) } catch { #expect("\(error)" == message) }
  }

  @Test(
    "a syntax error says what Go says",
    arguments: [
      ("", "EOF"), ("{", "unexpected EOF"), ("{]", "invalid character ']' looking for beginning of object key string"),
      ("[1,]", "invalid character ']' looking for beginning of value"), ("{} {}", "unexpected content after JSON"),
      (#"{"a" 1}"#, "invalid character '1' after object key"), ("nul", "unexpected EOF"), ("01", "unexpected content after JSON"),
      (String(repeating: "[", count: 2_000), "exceeded max depth"),
    ])
  func syntax(text: String, message: String) {
    do {
      _ = try JSONValue(parsing: text)
      Issue.record("accepted \(text)")
    } catch { #expect(error.message == message) }
  }

  @Test(
    "text survives a round trip",
    arguments: [#"{"a":[1,-2.5e3,true,null,"\"\\\n\u0001é😀"]}"#, "[]", "{}", #""""#, "18446744073709551615"])
  func roundTrip(text: String) throws { #expect(try JSONValue(parsing: text).text == text) }

  @Test("escapes and surrogates", arguments: [(#""\u00e9\/""#, "é/"), (#""\ud83d\ude00""#, "😀"), (#""\ud83dx""#, "\u{FFFD}x")])
  func escapes(text: String, string: String) throws { #expect(try JSONValue(parsing: text) == .string(string)) }
}
