// SPDX-License-Identifier: Apache-2.0

import HTTPWire
import Testing

@Suite("Heads")
struct HeadTests {
  @Test("written out again are the same")
  func roundTrip() throws {
    let text =
      "POST /v1.41/a%20b?c=%2f HTTP/1.1\r\nHost: docker\r\nX-Registry-Auth: e30=\r\nx-many: 1\r\nx-many: ü\r\nEmpty: \r\n\r\n"
    let head = try HeadParser.request(Array(text.utf8))
    #expect(String(decoding: head.bytes, as: UTF8.self) == text)
    #expect(head.headers["X-MANY"] == "1" && head.headers.values(of: "X-Many") == ["1", "ü"] && head.headers["empty"] == "")
  }

  @Test("lose white space around values, bare line feeds, and a proxy's authority")
  func canonical() throws {
    let head = try HeadParser.request(Array("GET http://docker/info?a=1 HTTP/1.0\nA:\t b \t\nC:d\n\n".utf8))
    #expect(head == RequestHead(method: "GET", target: "/info?a=1", minorVersion: 0, headers: ["A": "b", "C": "d"]))
  }

  @Test(
    "say what happens to the connection",
    arguments: [
      (1, [:], true, false), (0, [:], false, false), (0, ["Connection": "Keep-Alive"], true, false),
      (1, ["Connection": "close"], false, false), (1, ["Connection": "foo, Upgrade"], true, true),
      (1, ["Connection": "upgrade-insecure"], true, false),
    ] as [(Int, HTTPHeaders, Bool, Bool)])
  func connection(minor: Int, headers: HTTPHeaders, keepsAlive: Bool, wantsUpgrade: Bool) {
    let head = RequestHead(method: "GET", target: "/", minorVersion: minor, headers: headers)
    #expect(head.keepsAlive == keepsAlive && head.wantsUpgrade == wantsUpgrade)
  }

  @Test(
    "of answers",
    arguments: [
      ("HTTP/1.1 200 OK\r\n\r\n", 200, "OK"), ("HTTP/1.0 404 Not Found\r\n\r\n", 404, "Not Found"),
      ("HTTP/1.1 101 \r\n\r\n", 101, ""),
      ("HTTP/1.1 304\r\n\r\n", 304, ""),
    ])
  func response(text: String, status: Int, reason: String) throws {
    let head = try HeadParser.response(Array(text.utf8))
    #expect(head.status == status && head.reason == reason)
  }

  @Test(
    "of answers that are none are refused",
    arguments: ["HTTP/2 200 OK\r\n\r\n", "200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "\r\n\r\n"])
  func badResponse(text: String) {
    #expect(throws: HTTPSyntaxError.self) { try HeadParser.response(Array(text.utf8)) }
  }
}
