// SPDX-License-Identifier: Apache-2.0

import HTTPWire
import NIOCore
import Testing

@Suite("Bodies in a stream of bytes")
struct BodyDecoderTests {
  private static func body(_ headers: HTTPHeaders, _ bytes: some Collection<UInt8>, pieces: Int) throws -> (
    body: String, rest: String
  ) {
    var decoder = try BodyDecoder(request: RequestHead(method: "POST", target: "/", headers: headers))
    var input = ByteBuffer()
    var body: [UInt8] = []
    var left = Array(bytes)[...]
    while true {
      switch try decoder.next(from: &input) {
      case .data(let part): body.append(contentsOf: part.readableBytesView)
      case .end: return (String(decoding: body, as: UTF8.self), String(buffer: input) + String(decoding: left, as: UTF8.self))
      case .needsMore:
        guard !left.isEmpty else { throw HTTPSyntaxError("ended early") }
        input.writeBytes(left.prefix(pieces))
        left = left.dropFirst(pieces)
      }
    }
  }

  private struct Case: Sendable {
    var headers: HTTPHeaders = ["Transfer-Encoding": "chunked"]
    var text: String
    var body: String
  }

  private static let cases = [
    Case(headers: ["Content-Length": "5"], text: "helloNEXT", body: "hello"),
    Case(headers: ["content-length": "0"], text: "NEXT", body: ""),
    Case(headers: [:], text: "NEXT", body: ""),
    Case(text: "5\r\nhello\r\n0\r\n\r\nNEXT", body: "hello"),
    Case(text: "1;a=\"b\"\r\nh\r\n0004\nello\n0;z\r\nX: y\r\nZ: 1\r\n\r\nNEXT", body: "hello"),
  ]

  @Test("end where their framing says, however they are cut", arguments: cases, [1, 2, 3, 7, 100])
  private func framing(example: Case, pieces: Int) throws {
    let result = try Self.body(example.headers, example.text.utf8, pieces: pieces)
    #expect(result.body == example.body && result.rest == "NEXT")
  }

  @Test(
    "that are malformed are refused",
    arguments: [
      "\r\n", "-1\r\nx", "g\r\n", "0x1\r\na\r\n", "+1\r\na\r\n", "1\r\nab\r\n0\r\n\r\n", "FFFFFFFFFFFFFFFF\r\n",
      String(repeating: "1", count: 20_000), "0\r\n" + String(repeating: "A: b\r\n", count: 4_000) + "\r\n",
    ])
  func malformed(text: String) throws {
    #expect(throws: HTTPSyntaxError.self) { try Self.body(["Transfer-Encoding": "chunked"], text.utf8, pieces: 1_000) }
  }

  @Test("random bytes give a body or an error, never anything else")
  func random() throws {
    var generator = SystemRandomNumberGenerator()
    let alphabet = Array("0123af;\r\n x".utf8)
    for _ in 0..<5_000 {
      let bytes = (0..<Int.random(in: 0...60, using: &generator)).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
      let whole = try? Self.body(["Transfer-Encoding": "chunked"], bytes, pieces: 1_000)
      let single = try? Self.body(["Transfer-Encoding": "chunked"], bytes, pieces: 1)
      #expect(whole?.body == single?.body && whole?.rest == single?.rest)
    }
  }

  @Test(
    "of answers follow the request's method and the status",
    arguments: [
      ("GET", 200, [:], false), ("HEAD", 200, ["Content-Length": "5"], true), ("GET", 204, [:], true), ("GET", 304, [:], true),
      ("GET", 200, ["Content-Length": "0"], true), ("GET", 101, [:], true),
    ] as [(String, Int, HTTPHeaders, Bool)])
  func responses(method: String, status: Int, headers: HTTPHeaders, isEmpty: Bool) throws {
    #expect(try BodyDecoder(response: ResponseHead(status: status, headers: headers), to: method).isDone == isEmpty)
  }
}
