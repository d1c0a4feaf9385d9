// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import Testing

@testable import EngineAPI

@Suite("The ingress network over the API")
struct IngressNetworkTests {
  private static let id = "ingressclusteraaaaaaaaaaa"

  @Test(
    "the list is the engine's with the swarm's network before it, unless a filter excludes that",
    arguments: [
      ("", true), (#"{"scope":["swarm"]}"#, true), (#"{"scope":["local"]}"#, false), (#"{"driver":["overlay"]}"#, true),
      (#"{"driver":{"bridge":true}}"#, false), (#"{"name":["gres"]}"#, true), (#"{"name":["mine"]}"#, false),
      (#"{"type":["custom"]}"#, true), (#"{"type":["builtin"]}"#, false), (#"{"label":["a"]}"#, false),
      (#"{"name":["^ingress$"]}"#, true), (#"{"name":["^gress"]}"#, false), (#"{"name":["nothing|in.*s"]}"#, true),
      (#"{"dangling":["true"]}"#, false), (#"{"id":["ingressc"]}"#, true),
    ])
  func list(filters: String, isListed: Bool) async throws {
    let rig = try await SwarmRig()
    let query =
      filters.isEmpty ? "" : "?filters=" + filters.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    let (status, text) = try await rig.call("GET", "/networks\(query)")
    #expect(status == 200)
    let names = try JSONValue(parsing: text).arrayValue?.compactMap { $0["Name"]?.stringValue } ?? []
    #expect(names.contains("ingress") == isListed)
  }

  @Test("without a swarm, and with filters that are the engine's to refuse, the engine answers")
  func engine() async throws {
    #expect(try await SwarmRig(active: false).call("GET", "/networks") == (0, "/networks"))
    #expect(try await SwarmRig().call("GET", "/networks?filters=%7B") == (0, "/networks?filters=%7B"))
  }

  @Test("a filter's value that the engine refuses is refused in its words, and so is a flag")
  func badValues() async throws {
    let rig = try await SwarmRig()
    #expect(
      try await rig.call("GET", #"/networks?filters={"type":["x"]}"#) == (400, "invalid filter: 'type'='x'"))
    #expect(try await rig.call("GET", "/networks/ingress?verbose=x") == (0, "/networks/ingress?verbose=x"))
    for flag in ["", "1", "false"] { #expect(try await rig.call("GET", "/networks/ingress?verbose=\(flag)").status == 200) }
  }

  @Test(
    "a name's pattern",
    arguments: [
      ("", "x", true), ("b", "abc", true), ("^b", "abc", false), ("c$", "abc", true), ("^a.c$", "abc", true),
      ("^a(b|x)+c$", "abxbc", true),
      ("^(ab)?c$", "c", true), ("[a-c]{2}", "ab", false), ("^[^a-c]$", "d", true), ("^[^a-c]$", "a", false),
      ("a\\.b", "a.b", true),
      ("a\\.b", "axb", false), ("\\d\\w", "5_", true), ("(", "(", false), ("*", "*", false), ("a**", "a", false),
      ("^a+?$", "aa", true), ("[", "[", false), (")", ")", false),
      ("\\", "x", false),
      ("[z-a]", "b", false), ("^(a*)*$", "aaab", false), ("[]a]", "]", true),
    ])
  func patterns(pattern: String, text: String, matches: Bool) {
    #expect((NamePattern(pattern)?.matches(text) ?? false) == matches)
  }

  @Test("no pattern takes long")
  func longPatterns() {
    let text = String(repeating: "a", count: 60)
    #expect(NamePattern("^((a+)+)+b$")?.matches(text) == false)
    #expect(NamePattern("^((((a*)*)*)*)*b$")?.matches(text) == false)
    #expect(NamePattern("^(((((a*)*)*)*)*)*b$") == nil)
    #expect(NamePattern(String(repeating: "(", count: 10_000)) == nil)
  }

  @Test(
    "it is found by name, by id and by the beginning of its id", arguments: ["ingress", id, "ingressclu", "ingress?scope=swarm"])
  func inspect(reference: String) async throws {
    let (status, text) = try await SwarmRig().call("GET", "/networks/\(reference)")
    #expect(status == 200)
    let json = try JSONValue(parsing: text)
    #expect(json["Id"] == .string(Self.id) && json["Scope"] == "swarm" && json["Ingress"] == true && json["Driver"] == "overlay")
    #expect(json["IPAM"]?["Config"] == [["Subnet": "10.0.0.0/16", "Gateway": "10.0.0.1"]])
  }

  @Test("beside a network of the engine's own that has its name, it must be said which is meant")
  func ambiguous() async throws {
    let rig = try await SwarmRig()
    _ = try await rig.engine.createNetwork(["Name": "ingress"])
    let refusal = (400, "2 matches found based on name: network ingress is ambiguous")
    #expect(try await rig.call("GET", "/networks/ingress") == refusal)
    #expect(try await rig.call("GET", "/networks/ingress?scope=local") == (0, "/networks/ingress?scope=local"))
    for target in ["ingress?scope=swarm", Self.id] { #expect(try await rig.call("GET", "/networks/\(target)").status == 200) }
    await rig.engine.goAway()
    #expect(try await rig.call("GET", "/networks/ingress").status == 200)
  }

  @Test("it is neither made again, nor removed, nor joined by hand")
  func guarded() async throws {
    let rig = try await SwarmRig()
    #expect(
      try await rig.call("POST", "/networks/create", #"{"Name":"ingress"}"#) == (409, "network with name ingress already exists"))
    #expect(try await rig.call("DELETE", "/networks/ingress").status == 501)
    #expect(
      try await rig.call("POST", "/networks/ingress/connect", #"{"Container":"a"}"#)
        == (
          403,
          "Could not attach to network ingress: rpc error: code = PermissionDenied desc = network ingress not manually attachable"
        ))
  }
}
