// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineAPI
import Foundation
import HTTPWire
import NIOCore
import SocketTestKit
import Testing

private let echo = TestResponder { request in
  .json([
    "method": .string(request.method), "path": .string(request.path),
    "version": .string(request.version.map(String.init(describing:)) ?? "none"),
    "query": .array(request.query.items.map { .string("\($0.name)=\($0.value)") }),
    "body": .string(String(decoding: request.body, as: UTF8.self)),
  ])
}

@Suite("Requests the front answers itself")
struct OursTests {
  @Test("an answer carries the headers clients expect, and the connection serves the next request")
  func keepAlive() async throws {
    try await withFront(echo) { path in
      let client = try await RawClient(path)
      for _ in 0..<3 {
        try await client.send("GET /v1.41/ours%20x?b=1&a=%2B+2&b=3&c HTTP/1.1\r\nHost: d\r\n\r\n")
        let text = try await client.read(until: "}\n")
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        for header in [
          "Api-Version: 1.50", "Docker-Experimental: false", "Ostype: linux", "Server: Skep", "Content-Type: application/json",
        ] {
          #expect(text.contains("\r\n\(header)\r\n"))
        }
        #expect(!text.contains("Connection:"))
        #expect(
          text.hasSuffix(
            #"{"method":"GET","path":"/ours x","version":"1.41","query":["b=1","a=+ 2","b=3","c="],"body":""}"# + "\n"))
      }
    }
  }

  @Test("pipelined requests are answered in order")
  func pipelining() async throws {
    try await withFront(echo) { path in
      let client = try await RawClient(path)
      let all = (0..<50).map { "POST /ours/\($0) HTTP/1.1\r\nHost: d\r\nContent-Length: 2\r\n\r\n\($0 + 10)" }.joined()
      try await client.send(all + "GET /ours/end HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n")
      let text = try await client.rest()
      let paths = text.split(separator: "\n").compactMap {
        $0.split(separator: #""path":""#).dropFirst().first?.prefix { $0 != "\"" }
      }
      #expect(paths == (0..<50).map { "/ours/\($0)" } + ["/ours/end"])
      #expect(text.contains(#""body":"59""#))
    }
  }

  @Test("a request that comes byte by byte is the same request")
  func byteByByte() async throws {
    try await withFront(echo) { path in
      let client = try await RawClient(path)
      for byte in "POST /ours HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        .utf8
      {
        try await client.channel.write([byte])
      }
      #expect(try await client.rest().contains(#""body":"abc""#))
    }
  }

  @Test("chunked bodies may have extensions and trailers")
  func chunked() async throws {
    try await withFront(echo) { path in
      let client = try await RawClient(path)
      try await client.send(
        "POST /ours HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4;a=b\r\nWiki\r\n0A ; x\r\npedia, the\r\n0\r\nX-Sum: 1\r\n\r\n"
          + "GET /ours/next HTTP/1.1\r\nConnection: close\r\n\r\n")
      let text = try await client.rest()
      #expect(text.contains(#""body":"Wikipedia, the""#))
      #expect(text.contains(#""path":"/ours/next""#))
    }
  }

  @Test(
    "what is not a request is refused and the connection closed",
    arguments: [
      ("nonsense\r\n\r\n", 400), ("GET /ours\r\n\r\n", 400), ("GET /ours HTTP/2.0\r\n\r\n", 505),
      ("GET  /ours HTTP/1.1\r\n\r\n", 400), ("GET ours HTTP/1.1\r\n\r\n", 400), ("GET /%zz HTTP/1.1\r\n\r\n", 400),
      ("GET /ours HTTP/1.1\r\nBad Header: x\r\n\r\n", 400), ("GET /ours HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", 400),
      ("GET /ours HTTP/1.1\r\nA : b\r\n\r\n", 400), ("GET /ours HTTP/1.1\r\nA: b\u{1}\r\n\r\n", 400),
      ("POST /ours HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
      ("POST /ours HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
      ("POST /ours HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
      ("POST /ours HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
      ("POST /ours HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
      ("POST /ours HTTP/1.1\r\nContent-Length: 17000000\r\n\r\n", 413),
      ("GET /ours HTTP/1.1\r\nA: " + String(repeating: "a", count: 70_000) + "\r\n\r\n", 431),
    ])
  func refused(text: String, status: Int) async throws {
    try await withFront(echo) { path in
      let answer = try await RawClient.exchange(path, text)
      #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
      #expect(answer.contains("\r\nConnection: close\r\n"))
      #expect(answer.contains(#"{"message":""#))
    }
  }

  @Test("a client in the middle of an upload still reads why it was refused")
  func refusedUpload() async throws {
    var settings = FrontSettings()
    settings.maximumBody = 1_000
    try await withFront(echo, settings: settings) { path in
      let client = try await RawClient(path)
      try await client.send("POST /ours HTTP/1.1\r\nContent-Length: 4000000\r\n\r\n")
      for _ in 0..<40 { try? await client.channel.write([UInt8](repeating: 7, count: 100_000)) }
      #expect(try await client.rest().hasPrefix("HTTP/1.1 413 "))
    }
  }

  @Test("Expect: 100-continue is answered before the body comes")
  func expectContinue() async throws {
    try await withFront(echo) { path in
      let client = try await RawClient(path)
      try await client.send("POST /ours HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n")
      #expect(try await client.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
      try await client.send("hello")
      #expect(try await client.rest().contains(#""body":"hello""#))
    }
  }

  @Test("HEAD has the headers of GET and no body")
  func head() async throws {
    try await withFront { path in
      let answer = try await RawClient.exchange(path, "HEAD /ours HTTP/1.1\r\nConnection: close\r\n\r\n")
      #expect(answer.contains("\r\nContent-Length: 12\r\n"))
      #expect(answer.hasSuffix("\r\n\r\n"))
    }
  }

  @Test("HTTP/1.0 closes unless asked to keep the connection")
  func http10() async throws {
    try await withFront { path in
      #expect(try await RawClient.exchange(path, "GET /ours HTTP/1.0\n\n").contains("\r\nConnection: close\r\n"))
      let client = try await RawClient(path)
      try await client.send("GET /ours HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
      #expect(try await client.read(until: "}\n").contains("\r\nConnection: keep-alive\r\n"))
      try await client.send("GET /ours HTTP/1.0\r\n\r\n")
      #expect(try await client.rest().hasPrefix("HTTP/1.1 200"))
    }
  }

  @Test("errors of the responder are the engine's JSON")
  func errors() async throws {
    let responder = TestResponder { request in
      if request.path == "/ours/known" { throw APIError(status: 409, "name conflicts") }
      throw TimedOut()
    }
    try await withFront(responder) { path in
      let client = try await RawClient(path)
      try await client.send("GET /ours/known HTTP/1.1\r\n\r\n")
      let known = try await client.read(until: "}\n")
      #expect(known.hasPrefix("HTTP/1.1 409 Conflict\r\n") && known.hasSuffix("{\"message\":\"name conflicts\"}\n"))
      try await client.send("GET /ours/other HTTP/1.1\r\nConnection: close\r\n\r\n")
      #expect(try await client.rest().hasPrefix("HTTP/1.1 500 "))
    }
  }

  @Test(
    "versions we do not speak are refused in the engine's words",
    arguments: [
      ("/v1.99/containers/json", "client version 1.99 is too new. Maximum supported API version is 1.50"),
      (
        "/v1.12/ours",
        "client version 1.12 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version"
      ),
      (
        "/v1.23/looked-at",
        "client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version"
      ),
    ])
  func versions(target: String, message: String) async throws {
    let responder = TestResponder(routing: { line in
      switch line.path {
      case "/ours": .ours
      case "/looked-at": .rewrite { .forward($0.head, body: $0.body) }
      default: .pipe
      }
    })
    try await withFront(responder) { path in
      let answer = try await RawClient.exchange(path, "GET \(target) HTTP/1.1\r\n\r\n")
      #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.hasSuffix("{\"message\":\"\(message)\"}\n"))
    }
  }

  @Test("a client that ends its direction after the request still gets the answer")
  func halfClosed() async throws {
    let asked = Flag()
    let go = Flag()
    let responder = TestResponder { _ in
      asked.set()
      try await eventually { go.isSet }
      return .json(["late": true])
    }
    try await withFront(responder) { path in
      let client = try await RawClient(path)
      try await client.send("GET /ours HTTP/1.1\r\n\r\n")
      await client.channel.finish()
      try await eventually { asked.isSet }
      go.set()
      let answer = try await client.rest()
      #expect(answer.hasSuffix("{\"late\":true}\n"))
    }
  }
}
