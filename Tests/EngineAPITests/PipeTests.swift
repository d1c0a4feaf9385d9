// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineAPI
import Foundation
import HTTPWire
import NIOCore
import SocketTestKit
import Synchronization
import Testing

@Suite("Requests that the engine answers")
struct PipeTests {
  @Test("reach the engine with Connection: close and nothing else changed, and the answer comes back to the byte")
  func plain() async throws {
    let answer = "HTTP/1.1 200 OK\r\nX-Odd:  spaced \r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\n\r\n"
    let seen = Mutex("")
    try await withFront { channel in
      var reader = ByteReader(channel)
      let head = try await readHead(&reader)
      var decoder = try BodyDecoder(request: head)
      let body = try await reader.body(&decoder, limit: 100)
      seen.withLock { $0 = String(decoding: head.bytes + body, as: UTF8.self) }
      try await channel.write(Array(answer.utf8))
    } _: { path in
      let text =
        "POST /v1.41/containers/x%2Fy?a=%20b HTTP/1.1\r\nHost: docker\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\nbody"
      let received = try await RawClient.exchange(path, text)
      #expect(received == answer)
    }
    #expect(
      seen.withLock { $0 }
        == "POST /v1.41/containers/x%2Fy?a=%20b HTTP/1.1\r\nHost: docker\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody")
  }

  @Test("that hijack the connection pass bytes and half-closes both ways", arguments: [true, false], [true, false])
  func hijack(isUpgrade: Bool, clientEndsFirst: Bool) async throws {
    let status = isUpgrade ? "101 UPGRADED" : "200 OK"
    let heard = Flag()
    try await withFront { channel in
      var reader = ByteReader(channel)
      let head = try await readHead(&reader)
      #expect(head.wantsUpgrade == isUpgrade)
      try await channel.write(Array("HTTP/1.1 \(status)\r\n\r\n".utf8))
      if !clientEndsFirst {
        try await channel.write(Array("bye".utf8))
        await channel.finish()
      }
      var input = reader.takeRest().map { String(buffer: $0) } ?? ""
      while let part = try await channel.read() { input += String(buffer: part) }
      if clientEndsFirst { try await channel.write(Array("got \(input)".utf8)) } else { #expect(input == "early late") }
      heard.set()
    } _: { path in
      let client = try await RawClient(path)
      let upgrade = isUpgrade ? "Connection: Upgrade\r\nUpgrade: tcp\r\n" : ""
      try await client.send("POST /containers/x/attach?stdin=1 HTTP/1.1\r\nHost: d\r\n\(upgrade)\r\nearly ")
      if clientEndsFirst {
        _ = try await client.read(until: "\r\n\r\n")
        try await client.send("late")
        await client.channel.finish()
        #expect(try await client.rest() == "got early late")
      } else {
        #expect(try await client.rest() == "HTTP/1.1 \(status)\r\n\r\nbye")
        try await client.send("late")
        await client.channel.finish()
        // Closed on its side by then; the front may not have passed on all of it, and ends with this body.
        try await eventually { heard.isSet }
      }
    }
  }

  @Test("end at the engine when the client goes away")
  func clientLeaves() async throws {
    let ended = Flag()
    try await withFront { channel in
      var reader = ByteReader(channel)
      _ = try await readHead(&reader)
      try await channel.write(Array("HTTP/1.1 200 OK\r\n\r\nline\n".utf8))
      await channel.closed()
      if !Task.isCancelled { ended.set() }
    } _: { path in
      let client = try await RawClient(path)
      try await client.send("GET /containers/x/logs?follow=1 HTTP/1.1\r\n\r\n")
      _ = try await client.read(until: "line\n")
      client.channel.close()
      try await eventually { ended.isSet }
    }
  }

  @Test("end at the client when the engine dies, after what it had sent")
  func engineDies() async throws {
    try await withFront { channel in
      var reader = ByteReader(channel)
      _ = try await readHead(&reader)
      try await channel.write(Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".utf8))
      channel.close()
    } _: { path in
      let answer = try await RawClient.exchange(path, "GET /info HTTP/1.1\r\n\r\n")
      #expect(answer.hasSuffix("\r\n\r\nhalf"))
    }
  }

  @Test("an early answer to an upload reaches the client")
  func earlyAnswer() async throws {
    try await withFront { channel in
      var reader = ByteReader(channel)
      _ = try await readHead(&reader)
      try await channel.write(Array("HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno".utf8))
    } _: { path in
      let client = try await RawClient(path)
      try await client.send("POST /images/load HTTP/1.1\r\nContent-Length: 8000000\r\n\r\n")
      for _ in 0..<80 { try? await client.channel.write([UInt8](repeating: 7, count: 100_000)) }
      #expect(try await client.rest().hasSuffix("\r\n\r\nno"))
    }
  }

  @Test("wait for a slow side without holding its bytes", arguments: [true, false])
  func backPressure(isUpload: Bool) async throws {
    let total = 64 * 1_024 * 1_024
    let transfer = Transfer(total: total)
    try await withFront { channel in
      var reader = ByteReader(channel)
      _ = try await readHead(&reader)
      // Behind the head, some of the body may have come already.
      transfer.received.withLock { $0 += reader.takeRest()?.readableBytes ?? 0 }
      if isUpload { try await transfer.consume(channel) } else { try await transfer.produce(channel) }
    } _: { path in
      let client = try await RawClient(path)
      try await client.send("POST /images/load HTTP/1.1\r\n\r\n")
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          if isUpload { try await transfer.produce(client.channel) } else { try await transfer.consume(client.channel) }
        }
        try await settles { transfer.sent.withLock { $0 } }
        // Two socket buffers and a read's worth in the pipe.
        #expect(transfer.sent.withLock { $0 } < 2 * 1_024 * 1_024)
        transfer.isOpen.set()
        try await group.waitForAll()
      }
      if isUpload { _ = try await client.rest() }
    }
    #expect(transfer.received.withLock { $0 } == total)
  }

  @Test("say so when the engine is not there")
  func engineDown() async throws {
    try await withFolder { folder in
      try await runFront(TestResponder(), folder: folder) { path in
        let answer = try await RawClient.exchange(path, "GET /info HTTP/1.1\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 503 "))
        #expect(answer.contains("Skep cannot reach the Docker Engine at unix://\(folder)/engine.sock: no such file or directory"))
      }
    }
  }

  @Test("can be rewritten before they go")
  func rewrite() async throws {
    let responder = TestResponder(routing: { line in
      guard line.path == "/containers/create" else { return .pipe }
      return .rewrite { request in
        if request.body.isEmpty { return .answer(.error(400, "no body")) }
        if request.query["name"] == "bad" { throw APIError(status: 409, "taken") }
        var head = request.head
        head.target += "&x=1"
        return .forward(head, body: request.body + Array("!".utf8))
      }
    })
    try await withFront(responder) { channel in
      var reader = ByteReader(channel)
      let head = try await readHead(&reader)
      var decoder = try BodyDecoder(request: head)
      let body = String(decoding: try await reader.body(&decoder, limit: 100), as: UTF8.self)
      try await channel.write(Array("HTTP/1.1 201 Created\r\n\r\n\(head.target) \(body)".utf8))
    } _: { path in
      let chunked = "POST /containers/create?name=a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
      let chunkedAnswer = try await RawClient.exchange(path, chunked)
      #expect(chunkedAnswer.hasSuffix("\r\n\r\n/containers/create?name=a&x=1 hi!"))
      let empty = "POST /containers/create HTTP/1.1\r\nConnection: close\r\n\r\n"
      let emptyAnswer = try await RawClient.exchange(path, empty)
      #expect(emptyAnswer.hasPrefix("HTTP/1.1 400 "))
      let bad = "POST /containers/create?name=bad HTTP/1.1\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"
      let badAnswer = try await RawClient.exchange(path, bad)
      #expect(badAnswer.hasPrefix("HTTP/1.1 409 "))
    }
  }
}

/// Sends `total` bytes as fast as they go; takes them once open.
private final class Transfer: Sendable {
  let total: Int
  let sent = Mutex(0)
  let received = Mutex(0)
  let isOpen = Flag()

  init(total: Int) { self.total = total }

  func produce(_ channel: ByteChannel) async throws {
    for _ in 0..<(total / 65_536) {
      try await channel.write(ByteBuffer(repeating: 7, count: 65_536))
      sent.withLock { $0 += 65_536 }
    }
    await channel.finish()
  }

  func consume(_ channel: ByteChannel) async throws {
    try await eventually { self.isOpen.isSet }
    while let part = try await channel.read() { received.withLock { $0 += part.readableBytes } }
  }
}
