// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineClient
import HTTPWire
import NIOCore
import SocketTestKit
import Synchronization
import Testing

/// A fake engine: answers `_ping` with `version`, and anything else with what `answer` writes.
private func withEngine(
  version: String = "1.45", answer: @escaping @Sendable (RequestHead, String, ByteChannel) async throws -> Void,
  _ body: @escaping @Sendable (EngineClient) async throws -> Void
) async throws {
  try await withFolder { folder in
    try await withServer(folder + "/engine.sock") { channel in
      var reader = ByteReader(channel)
      let head = try await readHead(&reader)
      if head.target == "/_ping" {
        return try await send(channel, "200 OK\r\nApi-Version: \(version)\r\nContent-Length: 2\r\n\r\nOK")
      }
      var decoder = try BodyDecoder(request: head)
      let body = String(decoding: try await reader.body(&decoder, limit: 65_536), as: UTF8.self)
      try await answer(head, body, channel)
    } _: {
      try await within { try await body(EngineClient(socketPath: folder + "/engine.sock")) }
    }
  }
}

private func send(_ channel: ByteChannel, _ text: String) async throws {
  try await channel.write(Array("HTTP/1.1 \(text)".utf8))
}

private func expect(_ code: EngineError.Code, _ message: String = "", _ work: () async throws -> Void) async {
  do {
    try await work()
    Issue.record("no error; expected \(code)")
  } catch let error as EngineError {
    #expect(error.code == code && (message.isEmpty || error.message.contains(message)))
  } catch {
    Issue.record("unexpected error: \(error)")
  }
}

@Suite("The engine's client")
struct EngineClientTests {
  @Test("uses the lower of the engine's API version and 1.50", arguments: [("1.41", "1.41"), ("1.50", "1.50"), ("1.55", "1.50")])
  func version(engine: String, used: String) async throws {
    try await withEngine(version: engine) { head, _, channel in
      #expect(head.target == "/v\(used)/version" && head.headers["Connection"] == "close")
      try await send(channel, "200 OK\r\nContent-Length: 22\r\n\r\n{\"ApiVersion\":\"\(engine)\"}\n")
    } _: { client in
      #expect(try await client.apiVersion() == used)
      let version = try await client.version()
      #expect(version.apiVersion == engine)
    }
  }

  @Test(
    "asks in a client's version where it is told to, never above the engine's",
    arguments: [(nil, "1.45"), ("1.24", "1.24"), ("1.44", "1.44"), ("1.45", "1.45"), ("1.50", "1.45"), ("1.9", "1.9")])
  func asked(wanted: String?, used: String) async throws {
    try await withEngine { head, _, channel in
      #expect(head.target == "/v\(used)/info" || head.target == "/v\(used)/networks")
      let body = head.target.hasSuffix("info") ? "{}" : "[]"
      try await send(channel, "200 OK\r\nContent-Length: 2\r\n\r\n\(body)")
    } _: { client in
      _ = try await client.info(version: wanted)
      _ = try await client.networks(filters: [:], version: wanted)
    }
  }

  @Test("hears what the engine says of itself")
  func greeting() async throws {
    try await withEngine(version: "1.44\r\nDocker-Experimental: true\r\nBuilder-Version: 2") { _, _, _ in
    } _: { client in
      let greeting = try await client.greeting()
      #expect(greeting == EngineGreeting(apiVersion: "1.44", isExperimental: true, builderVersion: "2"))
    }
  }

  @Test("refuses engines before 20.10")
  func oldEngine() async throws {
    try await withEngine(version: "1.40") { _, _, _ in
    } _: { client in
      await expect(.incompatible, "the engine speaks API 1.40; Skep needs 1.41") { _ = try await client.info() }
    }
  }

  @Test(
    "throws the engine's own words",
    arguments: [
      (404, EngineError.Code.notFound), (409, .conflict), (400, .badRequest), (500, .serverError), (403, .unauthorized),
      (418, .refused),
    ])
  func errors(status: Int, code: EngineError.Code) async throws {
    try await withEngine { _, _, channel in
      try await send(channel, "\(status) X\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n{\"message\":\"no\"\r\n1\r\n}\r\n0\r\n\r\n")
    } _: { client in
      await expect(code, "no") { try await client.startContainer("x") }
      await expect(code, "no") { _ = try await client.logs("x", LogOptions()) }
    }
  }

  @Test("takes 304 for done")
  func notModified() async throws {
    try await withEngine { head, _, channel in
      #expect(head.target == "/v1.45/containers/a%20b/start")
      try await send(channel, "304 Not Modified\r\n\r\n")
    } _: { client in
      try await client.startContainer("a b")
    }
  }

  @Test("says that nobody answers, and finds the engine when it is back as another version")
  func unreachable() async throws {
    try await withFolder { folder in
      let client = EngineClient(socketPath: folder + "/e")
      await expect(.unreachable, "cannot reach the Docker Engine at unix://\(folder)/e: no such file or directory") {
        _ = try await client.info()
      }
      for version in ["1.41", "1.44"] {
        try await withServer(folder + "/e") { channel in
          // Closing with the question unread would take the answer back.
          var reader = ByteReader(channel)
          _ = try await readHead(&reader)
          try await send(channel, "200 OK\r\nApi-Version: \(version)\r\n\r\n")
        } _: {
          let found = try await client.apiVersion()
          #expect(found == version)
        }
        await expect(.unreachable, "connection refused") { _ = try await client.info() }
        let remembered = try await client.apiVersion()
        #expect(remembered == version, "for clients that ask meanwhile")
        try removeFile(folder + "/e")
      }
    }
  }

  @Test(
    "tells a connection that was lost from an answer that is wrong",
    arguments: [
      ("", EngineError.Code.connectionLost), ("HTTP/1.1 200 OK\r\nContent-Le", .connectionLost),
      ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", .connectionLost),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", .connectionLost),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n?\r\n", .malformed), ("SSH-2.0\r\n\r\n", .malformed),
      ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{\"a", .malformed),
      ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", .malformed),
    ])
  func broken(text: String, code: EngineError.Code) async throws {
    try await withEngine { _, _, channel in
      try await channel.write(Array(text.utf8))
    } _: { client in
      await expect(code) { _ = try await client.container("x") }
    }
  }

  @Test("refuses an answer larger than asked for")
  func tooLarge() async throws {
    try await withEngine { head, _, channel in
      let isAnnounced = head.target.hasSuffix("/a")
      try await send(channel, "200 OK\r\n\(isAnnounced ? "Content-Length: 100000\r\n" : "")\r\n")
      try await channel.write([UInt8](repeating: 1, count: 100_000))
    } _: { client in
      for path in ["/a", "/b"] {
        var request = EngineRequest("GET", path)
        request.limit = 1_000
        await expect(.tooLarge) { _ = try await client.request(request) }
      }
    }
  }

  @Test("gives up in time", arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"])
  func timeout(text: String) async throws {
    try await withEngine { _, _, channel in
      try await channel.write(Array(text.utf8))
      await channel.closed()
    } _: { client in
      _ = try await client.apiVersion()
      await expect(.timeout, "GET /x: no answer from the engine within 50 ms") {
        _ = try await client.request(EngineRequest("GET", "/x", timeout: .milliseconds(50)))
      }
    }
  }

  @Test("a cancelled call ends and closes its connection")
  func cancelled() async throws {
    let asked = Flag()
    let ended = Flag()
    try await withEngine { _, _, channel in
      asked.set()
      await channel.closed()
      ended.set()
    } _: { client in
      let waiting = Task { try await client.waitContainer("x") }
      try await eventually { asked.isSet }
      waiting.cancel()
      await #expect(throws: CancellationError.self) { try await waiting.value }
      try await eventually { ended.isSet }
    }
  }

  @Test("sends names, filters and bodies as the API wants them")
  func requests() async throws {
    let seen = Mutex<[String]>([])
    try await withEngine { head, body, channel in
      seen.withLock { $0.append("\(head.method) \(head.target) \(body)") }
      let answer = head.target.contains("json?") ? "[]" : "{\"Id\":\"1\"}"
      try await send(channel, "201 Created\r\nContent-Length: \(answer.utf8.count)\r\n\r\n\(answer)")
    } _: { client in
      _ = try await client.containers(all: true, labels: ["a=b c"])
      _ = try await client.createContainer(name: "web.1", config: ["Image": "i"])
      try await client.stopContainer("x", timeout: 10)
      try await client.stopContainer("x", timeout: .max)
      try await client.removeContainer("x", force: true, volumes: false)
      _ = try await client.image("host:5000/a/b@sha256:1")
      try await client.connectNetwork("n", container: "x", endpoint: ["Aliases": ["z"]])
    }
    #expect(
      seen.withLock { $0 } == [
        "GET /v1.45/containers/json?all=1&filters=%7B%22label%22%3A%5B%22a%3Db%20c%22%5D%7D ",
        "POST /v1.45/containers/create?name=web.1 {\"Image\":\"i\"}",
        "POST /v1.45/containers/x/stop?t=10 ", "POST /v1.45/containers/x/stop?t=9223372036854775807 ",
        "DELETE /v1.45/containers/x?force=1&v=0 ",
        "GET /v1.45/images/host%3A5000/a/b%40sha256%3A1/json ",
        "POST /v1.45/networks/n/connect {\"Container\":\"x\",\"EndpointConfig\":{\"Aliases\":[\"z\"]}}",
      ])
  }

  @Test("a pull fails with the error in its progress")
  func pull() async throws {
    let seen = Mutex<[String]>([])
    try await withEngine { head, _, channel in
      seen.withLock { $0.append("\(head.target) \(head.headers["X-Registry-Auth"] ?? "-")") }
      try await send(channel, "200 OK\r\n\r\n{\"status\":\"Pulling\"}\r\n")
      if head.target.contains("bad") { try await channel.write(Array("{\"errorDetail\":{},\"error\":\"denied\"}".utf8)) }
    } _: { client in
      try await client.pullImage("host:5000/good", registryAuth: "e30=")
      await expect(.failed, "denied") { try await client.pullImage("bad:1", registryAuth: nil) }
    }
    #expect(
      seen.withLock { $0 } == [
        "/v1.45/images/create?fromImage=host%3A5000%2Fgood%3Alatest e30=", "/v1.45/images/create?fromImage=bad%3A1 -",
      ])
  }
}
