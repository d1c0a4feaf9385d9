// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Testing

@testable import EngineAPI

@Suite("Service updates over the API")
struct ServiceUpdateTests {
  static func body(_ image: String, name: String = "web", rest: String = "") -> String {
    #"{"Name":"\#(name)","TaskTemplate":{"ContainerSpec":{"Image":"\#(image)"}}\#(rest)}"#
  }

  @Test("an update keeps the old spec and begins its status anew")
  func update() async throws {
    let rig = try await SwarmRig()
    let id = try await rig.create(Self.body("a"))
    try await rig.store.transaction { transaction in
      var service = try #require(transaction.service(id))
      service.updateStatus = .init(state: .completed, startedAt: SwarmRig.time, message: "update completed")
      transaction.put(service)
    }
    let version = await rig.version(ofService: id)
    let answer = try await rig.call(
      "POST", "/services/web/update?version=\(version)&registryAuthFrom=spec&rollback=none", Self.body("b"))
    #expect(answer == (200, #"{"Warnings":null}"#))
    let service = try #require(await rig.store.read { $0.services[id] })
    #expect(
      service.spec.taskTemplate.containerSpec?.image == "b" && service.previousSpec?.taskTemplate.containerSpec?.image == "a")
    #expect(service.updateStatus == nil && service.version > version)
  }

  @Test("sending back what was read is no other spec, so scaling touches no task")
  func readModifyWrite() async throws {
    let rig = try await SwarmRig()
    let id = try await rig.create(#"{"Name":"web","TaskTemplate":{"ContainerSpec":{"Image":"a","Env":[],"Labels":{},"Dir":""}}}"#)
    let before = try #require(await rig.store.read { $0.services[id] })
    let read = try JSONValue(parsing: try await rig.call("GET", "/services/web").text)
    let body = try #require(read["Spec"]).text
    _ = try await rig.call("POST", "/services/web/update?version=\(before.version)", body)
    let after = try #require(await rig.store.read { $0.services[id] })
    #expect(after.version > before.version)
    #expect(after.spec == before.spec)
  }

  @Test("a rollback swaps the two specs, and again")
  func rollback() async throws {
    let rig = try await SwarmRig()
    let id = try await rig.create(Self.body("a"))
    var version = await rig.version(ofService: id)
    let path = "/services/\(id)/update?rollback=previous&version="
    #expect(
      try await rig.call("POST", path + "\(version)", Self.body("a"))
        == (400, "rpc error: code = FailedPrecondition desc = service \(id) does not have a previous spec"))
    _ = try await rig.call("POST", "/services/\(id)/update?version=\(version)", Self.body("b"))
    for image in ["a", "b"] {
      version = await rig.version(ofService: id)
      #expect(try await rig.call("POST", path + "\(version)", Self.body("ignored")).status == 200)
      let service = try #require(await rig.store.read { $0.services[id] })
      #expect(service.spec.taskTemplate.containerSpec?.image == image)
      #expect(service.updateStatus?.state == .rollbackStarted && service.updateStatus?.message == "manually requested rollback")
    }
  }

  @Test("only the stored version may be updated; a status write does not change it")
  func sequence() async throws {
    let rig = try await SwarmRig()
    let id = try await rig.create(Self.body("a"))
    let version = await rig.version(ofService: id)
    try await rig.store.transaction { transaction in
      var service = try #require(transaction.service(id))
      service.endpoint = .init(spec: EndpointSpec(), ports: [])
      transaction.put(service)
    }
    let stale = (500, "rpc error: code = Unknown desc = update out of sequence")
    #expect(try await rig.call("POST", "/services/web/update?version=\(version - 1)", Self.body("b")) == stale)
    #expect(try await rig.call("POST", "/services/web/update?version=\(version + 1)", Self.body("b")) == stale)
    #expect(try await rig.call("POST", "/services/web/update?version=\(version)", Self.body("b")).status == 200)
    #expect(try await rig.call("POST", "/services/web/update?version=\(version)", Self.body("b")) == stale)
  }

  @Test(
    "an update that cannot be is refused",
    arguments: [
      ("version=x", body("a"), 400, #"invalid service version 'x': strconv.ParseUint: parsing "x": invalid syntax"#),
      ("", body("a"), 400, #"invalid service version '': strconv.ParseUint: parsing "": invalid syntax"#),
      ("version=+102", body("a"), 400, #"invalid service version ' 102': strconv.ParseUint: parsing " 102": invalid syntax"#),
      ("version=%2B102", body("a"), 400, #"invalid service version '+102': strconv.ParseUint: parsing "+102": invalid syntax"#),
      (
        "version=99999999999999999999", body("a"), 400,
        "invalid service version '99999999999999999999': "
          + #"strconv.ParseUint: parsing "99999999999999999999": value out of range"#
      ),
      ("version=102&registryAuthFrom=x", body("a"), 400, "invalid registryAuthFrom 'x'"),
      ("version=102&registryAuthFrom=previous-spec", body("a"), 500, "service does not have a previous spec"),
      ("version=102&rollback=x", body("a"), 500, "unrecognized rollback option x"),
      ("version=102", body("a", name: ""), 501, "rpc error: code = Unimplemented desc = renaming services is not supported"),
      (
        "version=102", body("a", name: "other"), 501, "rpc error: code = Unimplemented desc = renaming services is not supported"
      ),
      (
        "version=102", body("a", rest: #","Mode":{"Global":{}}"#), 501,
        "rpc error: code = Unimplemented desc = service mode change is not allowed"
      ),
      (
        "version=102&rollback=previous", body("a", rest: #","Mode":{"Global":{}}"#), 501,
        "rpc error: code = Unimplemented desc = service mode change is not allowed"
      ),
      (
        "version=102", body(""), 400, "rpc error: code = InvalidArgument desc = ContainerSpec: image reference must be provided"
      ),
    ])
  func refusals(query: String, body: String, status: Int, message: String) async throws {
    let rig = try await SwarmRig()
    try await rig.create(Self.body("a"))
    #expect(try await rig.call("POST", "/services/web/update?\(query)", body) == (status, message))
    #expect(try await rig.call("POST", "/services/nope/update?version=1", body).status != 200)
  }

  @Test("what cannot be read is told before that there is no such service")
  func order() async throws {
    let rig = try await SwarmRig()
    let path = "/services/nope/update?version=1"
    let unreadable = Self.body("a", rest: #","EndpointSpec":{"Mode":"x"}"#)
    #expect(try await rig.call("POST", path, unreadable) == (400, #"invalid resolution mode: "x""#))
    #expect(try await rig.call("POST", path + "&rollback=x", Self.body("a")) == (404, "service nope not found"))
  }

  @Test("a service does not conflict with its own ports")
  func ownPorts() async throws {
    let rig = try await SwarmRig()
    let id = try await rig.create(ServiceTests.web)
    let version = await rig.version(ofService: id)
    #expect(try await rig.call("POST", "/services/web/update?version=\(version)", ServiceTests.web).status == 200)
  }
}
