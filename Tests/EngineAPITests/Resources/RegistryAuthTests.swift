// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import HTTPWire
import Testing

@testable import EngineAPI

@Suite("Registry credentials over the API")
struct RegistryAuthTests {
  static func header(_ user: String) -> String { Base64.encode(Array(#"{"username":"\(user)","password":"pass"}"#.utf8)) }

  static func headers(_ auth: String?) -> HTTPHeaders {
    var headers: HTTPHeaders = ["Content-Type": "application/json"]
    headers["X-Registry-Auth"] = auth
    return headers
  }

  static func body(_ image: String = "a", rest: String = "") -> String {
    #"{"Name":"web","TaskTemplate":{"ContainerSpec":{"Image":"\#(image)"}\#(rest)}}"#
  }

  static func create(_ rig: SwarmRig, _ auth: String?) async throws {
    let answer = try await rig.call("POST", "/services/create", body(), headers: headers(auth))
    #expect(answer.status == 201 && answer.text.hasSuffix(#","Warnings":null}"#))
  }

  static func update(_ rig: SwarmRig, _ query: String = "", _ auth: String? = nil) async throws {
    let version = try #require(await rig.store.read { $0.service(named: "web")?.version })
    let answer = try await rig.call(
      "POST", "/services/web/update?version=\(version)&\(query)", body(), headers: headers(auth))
    #expect(answer == (200, #"{"Warnings":null}"#))
  }

  /// What is kept for the spec and for the previous one, opened.
  static func kept(_ rig: SwarmRig) async throws -> [String?] {
    let service = try #require(await rig.store.read { $0.service(named: "web") })
    return try [service.spec, service.previousSpec].map { spec in
      try (spec?.taskTemplate.registryAuth).map { try SwarmRig.sealer.openRegistryAuth($0, ofService: service.id) }
    }
  }

  @Test(
    "are kept as they came, whatever they are; an empty header is none",
    arguments: [(header("me"), header("me")), ("e30=", "e30="), ("no base64 !", "no base64 !"), ("", nil), (nil, nil)]
      as [(String?, String?)])
  func created(given: String?, kept: String?) async throws {
    let rig = try await SwarmRig()
    try await Self.create(rig, given)
    #expect(try await Self.kept(rig) == [kept, nil])
  }

  @Test("follow their spec through updates and rollbacks")
  func updated() async throws {
    let rig = try await SwarmRig()
    let (a, b) = (Self.header("a"), Self.header("b"))
    try await Self.create(rig, a)
    let steps: [(String, String?, [String?])] = [
      ("", nil, [a, a]), ("registryAuthFrom=spec", b, [b, a]), ("registryAuthFrom=spec", nil, [b, b]), ("", "e30=", ["e30=", b]),
      ("registryAuthFrom=previous-spec", nil, [b, "e30="]), ("registryAuthFrom=previous-spec", a, [a, b]),
      ("rollback=previous", nil, [b, a]), ("rollback=previous", "e30=", [a, b]),
    ]
    for (query, auth, kept) in steps {
      try await Self.update(rig, query, auth)
      #expect(try await Self.kept(rig) == kept, "\(query) \(auth ?? "-")")
    }
  }

  @Test("given again they are no other spec")
  func repeated() async throws {
    let rig = try await SwarmRig()
    try await Self.create(rig, Self.header("a"))
    let before = await rig.store.read { $0.service(named: "web")?.spec }
    try await Self.update(rig, "", Self.header("a"))
    #expect(await rig.store.read { $0.service(named: "web")?.spec } == before)
  }

  @Test("are no part of a body, and come out in no answer")
  func hidden() async throws {
    let rig = try await SwarmRig()
    let plain = Self.body(rest: #","RegistryAuth":"AAAA","PullOptions":{"RegistryAuth":"AAAA"}"#)
    _ = try await rig.call("POST", "/services/create", plain)
    #expect(try await Self.kept(rig) == [nil, nil])
    try await Self.update(rig, "", Self.header("a"))
    try await Self.update(rig)
    let service = try #require(await rig.store.read { $0.service(named: "web") })
    try await rig.store.transaction { $0.put(Fixture.task("t1", of: service)) }
    for path in ["/services", "/services/web", "/services/web?insertDefaults=true", "/tasks", "/tasks/t1"] {
      let (status, text) = try await rig.call("GET", path)
      #expect(status == 200 && text.contains(#""Image":"a""#))
      #expect(!text.lowercased().contains("auth"), "\(path): \(text)")
    }
  }

  @Test("that cannot be kept refuse the request, which does nothing")
  func unkept() async throws {
    let rig = try await SwarmRig(sealer: BrokenSealer())
    let refusal = "registry credentials cannot be kept: the key is gone"
    #expect(
      try await rig.call("POST", "/services/create", Self.body(), headers: Self.headers("e30=")) == (500, refusal))
    #expect(await rig.store.read { $0.services.isEmpty })
    try await Self.create(rig, nil)
  }
}

private struct BrokenSealer: Sealer {
  struct Gone: Error, CustomStringConvertible { var description: String { "the key is gone" } }
  func seal(_ secret: [UInt8], of owner: String) throws -> Sealed { throw Gone() }
  func open(_ sealed: Sealed, of owner: String) throws -> [UInt8] { throw Gone() }
}
