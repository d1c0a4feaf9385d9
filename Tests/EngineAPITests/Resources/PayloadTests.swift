// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import Testing

@testable import EngineAPI

@Suite("Secrets and configs over the API")
struct PayloadTests {
  private static let kinds = PayloadKind.allCases.map(\.rawValue)

  private static func create(_ rig: SwarmRig, _ kind: String, _ name: String, _ more: String = "") async throws -> String {
    let (status, text) = try await rig.call("POST", "/\(kind)s/create", #"{"Name":"\#(name)","Data":"aHVudGVyMg=="\#(more)}"#)
    try #require(status == 201, "\(text)")
    let answer = try JSONValue(parsing: text)
    #expect(answer.objectValue?.members.map(\.key) == ["ID"])
    return try #require(answer["ID"]?.stringValue)
  }

  private static func names(_ rig: SwarmRig, _ kind: String, _ filters: String) async throws -> [String] {
    let (status, text) = try await rig.call("GET", "/\(kind)s?filters=\(filters)")
    try #require(status == 200, "\(text)")
    return try JSONValue(parsing: text).arrayValue?.compactMap { $0["Spec"]?["Name"]?.stringValue }.sorted() ?? []
  }

  @Test("a secret is shown without its data, a config with it", arguments: kinds)
  func shown(kind: String) async throws {
    let rig = try await SwarmRig()
    let id = try await Self.create(rig, kind, "Key", #","Labels":{"a":"b"},"Templating":{"Name":"golang"}"#)
    let data = kind == "config" ? #""Data":"aHVudGVyMg==","# : ""
    let wanted =
      #"{"ID":"\#(id)","Version":{"Index":102},"CreatedAt":"2024-05-01T10:00:00Z","UpdatedAt":"2024-05-01T10:00:00Z","#
      + #""Spec":{"Name":"Key","Labels":{"a":"b"},\#(data)"Templating":{"Name":"golang"}}}"#
    for reference in [id, "Key", "key", String(id.prefix(9))] {
      #expect(try await rig.call("GET", "/\(kind)s/\(reference)") == (200, wanted))
    }
    #expect(try await rig.call("GET", "/\(kind)s") == (200, "[\(wanted)]"))
    let other = kind == "secret" ? "config" : "secret"
    #expect(try await rig.call("GET", "/\(other)s/\(id)") == (404, "\(other) \(id) not found"))
  }

  @Test("what is stored is sealed", arguments: kinds)
  func sealed(kind: String) async throws {
    let rig = try await SwarmRig()
    let id = try await Self.create(rig, kind, "key")
    let payload = try #require(await rig.store.read { $0.payloads[id] })
    #expect(payload.data.bytes.firstRange(of: Array("hunter2".utf8)) == nil)
    #expect(try SwarmRig.sealer.openPayload(payload.data, payload.kind, id: id) == Array("hunter2".utf8))
  }

  @Test("without the key none is made, configs cannot be seen, and lists go without them")
  func unkept() async throws {
    let rig = try await SwarmRig()
    _ = try await Self.create(rig, "config", "key")
    let blind = try await SwarmRig(sealer: LostKey())
    let refusal = "secrets cannot be kept: the key is gone"
    #expect(try await blind.call("POST", "/secrets/create", #"{"Name":"a","Data":"YQ=="}"#) == (500, refusal))
    #expect(await blind.store.read { $0.payloads.isEmpty })
    let payload = try #require(await rig.store.read { $0.payloads.values.first })
    try await blind.store.transaction { $0.put(payload) }
    #expect(try await blind.call("GET", "/configs/key") == (500, "config key cannot be read: the key is gone"))
    #expect(try await Self.names(blind, "config", "{}") == ["key"])
    #expect(try await blind.call("DELETE", "/configs/key") == (204, ""))
  }

  @Test(
    "what is refused, in swarm's words", arguments: kinds,
    [
      (#"{"Data":"YQ=="}"#, 400, "[InvalidArgument] name must be provided"),
      (
        #"{"Name":"a b","Data":"YQ=="}"#, 400,
        "[InvalidArgument] invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character must be [a-zA-Z0-9]"
      ),
      (#"{"Name":"a"}"#, 400, "[InvalidArgument] KIND data must be larger than 0 and less than LIMIT bytes"),
      (#"{"Name":"KEY","Data":"YQ=="}"#, 409, "[AlreadyExists] KIND KEY already exists"),
      (#"{"Name":"a","Data":"?"}"#, 400, "invalid JSON: illegal base64 data at input byte 0"),
    ])
  func refused(kind: String, refusal: (body: String, status: Int, text: String)) async throws {
    let rig = try await SwarmRig()
    _ = try await Self.create(rig, kind, "key")
    let text = refusal.text.replacing("KIND", with: kind).replacing("LIMIT", with: kind == "secret" ? "512000" : "1024000")
      .replacing(#/^\[(\w+)\]/#) { "rpc error: code = \($0.1) desc =" }
    #expect(try await rig.call("POST", "/\(kind)s/create", refusal.body) == (refusal.status, text))
  }

  @Test("a secret's driver is a plugin, of which there are none")
  func driver() async throws {
    let rig = try await SwarmRig()
    #expect(
      try await rig.call("POST", "/secrets/create", #"{"Name":"a","Driver":{}}"#)
        == (400, "rpc error: code = InvalidArgument desc = secret driver must have a name"))
    #expect(
      try await rig.call("POST", "/secrets/create", #"{"Name":"a","Driver":{"Name":"vault"}}"#)
        == (500, #"rpc error: code = Unknown desc = plugin "vault" not found"#))
  }

  @Test("clients of old versions may not have templates", arguments: kinds)
  func oldTemplating(kind: String) async throws {
    let rig = try await SwarmRig()
    let body = #"{"Name":"a","Data":"YQ==","Templating":{"Name":"golang"}}"#
    let text = "\(kind) templating is not supported on the specified API version: 1.36"
    #expect(try await rig.call("POST", "/v1.36/\(kind)s/create", body) == (400, text))
    #expect(try await rig.call("POST", "/v1.37/\(kind)s/create", body).status == 201)
  }

  @Test("of a list's names one is enough, and labels must all be there")
  func filters() async throws {
    let rig = try await SwarmRig()
    let id = try await Self.create(rig, "secret", "alpha", #","Labels":{"a":"1"}"#)
    _ = try await Self.create(rig, "secret", "alphabet", #","Labels":{"a":"2","b":"3"}"#)
    _ = try await Self.create(rig, "secret", "beta")
    #expect(try await Self.names(rig, "secret", #"{"name":["ALPHA"]}"#) == ["alpha", "alphabet"])
    #expect(try await Self.names(rig, "secret", #"{"names":["alpha"]}"#) == ["alpha"])
    #expect(try await Self.names(rig, "secret", #"{"names":["beta"],"id":["\#(id)"]}"#) == ["alpha", "beta"])
    #expect(try await Self.names(rig, "secret", #"{"label":["a","b=3"]}"#) == ["alphabet"])
    #expect(try await Self.names(rig, "secret", #"{"name":["alpha"],"label":["a=1"]}"#) == ["alpha"])
    #expect(try await rig.call("GET", #"/configs?filters={"names":["a"]}"#) == (400, "invalid filter 'names'"))
  }

  @Test("labels are all that an update may change", arguments: kinds)
  func update(kind: String) async throws {
    let rig = try await SwarmRig()
    let id = try await Self.create(rig, kind, "key")
    let only = "rpc error: code = InvalidArgument desc = only updates to Labels are allowed"
    let path = "/\(kind)s/key/update"
    #expect(try await rig.call("POST", path, "{}") == (400, "invalid \(kind) version"))
    #expect(try await rig.call("POST", "/\(kind)s/x/update?version=1", "{}") == (404, "\(kind) x not found"))
    for body in [#"{"Name":"other"}"#, #"{"Name":"key","Data":"YQ=="}"#] {
      #expect(try await rig.call("POST", "\(path)?version=102", body) == (400, only))
    }
    let new = #"{"Name":"key","Labels":{"x":"y"},"Data":"aHVudGVyMg=="}"#
    #expect(
      try await rig.call("POST", "\(path)?version=1", new) == (500, "rpc error: code = Unknown desc = update out of sequence"))
    #expect(try await rig.call("POST", "\(path)?version=102", new) == (200, ""))
    #expect(try await rig.call("POST", "\(path)?version=103", #"{"Name":"key","Data":""}"#) == (200, ""))
    let payload = try #require(await rig.store.read { $0.payloads[id] })
    #expect(payload.spec.labels == [:] && payload.version == 104)
  }

  private static func service(_ rig: SwarmRig, _ name: String, _ references: String) async throws -> (status: Int, text: String) {
    try await rig.call(
      "POST", "/services/create", #"{"Name":"\#(name)","TaskTemplate":{"ContainerSpec":{"Image":"a",\#(references)}}}"#)
  }

  @Test("a service's own stay until no service has them, and go while its tasks are still there")
  func inUse() async throws {
    let rig = try await SwarmRig()
    let id = try await Self.create(rig, "secret", "key")
    let reference = #""Secrets":[{"SecretID":"\#(id)","SecretName":"key","File":{"Name":"f","UID":"0","GID":"0","Mode":292}}]"#
    #expect(try await Self.service(rig, "web", reference).status == 201)
    let text = "rpc error: code = InvalidArgument desc = secret 'key' is in use by the following service"
    #expect(try await rig.call("DELETE", "/secrets/key") == (400, "\(text): web"))
    #expect(try await Self.service(rig, "web2", reference).status == 201)
    let both = try await rig.call("DELETE", "/secrets/key")
    #expect(["\(text)s: web, web2", "\(text)s: web2, web"].contains(both.text) && both.status == 400)
    for name in ["web", "web2"] { #expect(try await rig.call("DELETE", "/services/\(name)").status == 200) }
    #expect(try await rig.call("DELETE", "/secrets/key") == (204, ""))
    #expect(try await rig.call("GET", "/secrets/key") == (404, "secret key not found"))
  }

  @Test("a service may name only what is there, under its own name and kind")
  func missing() async throws {
    let rig = try await SwarmRig()
    let id = try await Self.create(rig, "secret", "key")
    let file = #""File":{"Name":"f"}"#
    let text = "rpc error: code = InvalidArgument desc ="
    #expect(
      try await Self.service(rig, "a", #""Secrets":[{"SecretID":"x","SecretName":"n",\#(file)}]"#) == (
        400, "\(text) secret not found: n"
      ))
    #expect(
      try await Self.service(
        rig, "a",
        #""Secrets":[{"SecretID":"\#(id)","SecretName":"m",\#(file)},{"SecretID":"y","SecretName":"n","File":{"Name":"g"}}]"#)
        == (400, "\(text) secrets not found: m, n"))
    #expect(
      try await Self.service(rig, "a", #""Configs":[{"ConfigID":"\#(id)","ConfigName":"key",\#(file)}]"#)
        == (400, "\(text) config not found: key"))
  }

  @Test("what becomes of them is told, without what is in them", arguments: kinds)
  func events(kind: String) async throws {
    let rig = try await SwarmRig()
    let listener = try await EventListener(rig, #"filters={"type":["\#(kind)"]}"#)
    try await listener.during {
      _ = try await Self.create(rig, kind, "key")
      #expect(try await rig.call("POST", "/\(kind)s/key/update?version=102", #"{"Name":"key","Labels":{"a":"b"}}"#).status == 200)
      #expect(try await rig.call("DELETE", "/\(kind)s/key").status == 204)
      try await listener.hears(["create key", "update key", "remove key"])
    }
  }
}

private struct LostKey: Sealer {
  struct Gone: Error, CustomStringConvertible { var description: String { "the key is gone" } }
  func seal(_ secret: [UInt8], of owner: String) throws -> Sealed { throw Gone() }
  func open(_ sealed: Sealed, of owner: String) throws -> [UInt8] { throw Gone() }
}
