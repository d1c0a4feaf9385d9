// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineAPI
import Foundation
import HTTPWire
import NIOCore
import SocketTestKit
import Synchronization
import Testing

@Suite("Answers that go on")
struct StreamTests {
  private static func stream(_ parts: [String]) -> Response {
    let (parts, source) = (parts, AsyncThrowingStream<[UInt8], any Error>.makeStream())
    for part in parts { source.continuation.yield(Array(part.utf8)) }
    source.continuation.finish()
    return Response(body: .stream(source.stream))
  }

  @Test("are sent in chunks, and the connection goes on")
  func chunks() async throws {
    try await withFront(TestResponder { _ in Self.stream(["one", "", "two"]) }) { path in
      let client = try await RawClient(path)
      try await client.send("GET /ours HTTP/1.1\r\n\r\n")
      let text = try await client.read(until: "0\r\n\r\n")
      #expect(text.contains("\r\nTransfer-Encoding: chunked\r\n") && text.hasSuffix("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"))
      try await client.send("GET /ours HTTP/1.0\r\n\r\n")
      let old = try await client.rest()
      #expect(!old.contains("chunked") && old.hasSuffix("\r\n\r\nonetwo"))
    }
  }

  @Test("are sent when they come")
  func flushed() async throws {
    let (stream, source) = AsyncThrowingStream<[UInt8], any Error>.makeStream()
    try await withFront(TestResponder { _ in Response(body: .stream(stream)) }) { path in
      let client = try await RawClient(path)
      try await client.send("GET /ours HTTP/1.1\r\n\r\n")
      for part in ["first", "second"] {
        source.yield(Array(part.utf8))
        #expect(try await client.read(until: part + "\r\n").hasSuffix(part + "\r\n"))
      }
      source.finish()
      #expect(try await client.read(until: "0\r\n\r\n") == "0\r\n\r\n")
    }
  }

  @Test("that fail end without the closing chunk")
  func failure() async throws {
    let (stream, source) = AsyncThrowingStream<[UInt8], any Error>.makeStream()
    source.yield([0x61])
    source.finish(throwing: TimedOut())
    try await withFront(TestResponder { _ in Response(body: .stream(stream)) }) { path in
      let answer = try await RawClient.exchange(path, "GET /ours HTTP/1.1\r\n\r\n")
      #expect(answer.hasSuffix("\r\n\r\n1\r\na\r\n"))
    }
  }

  @Test("are cancelled when the client goes away", arguments: [true, false])
  func disconnect(hasBegun: Bool) async throws {
    let (started, cancelled) = (Flag(), Flag())
    let responder = TestResponder { _ in
      let stream = AsyncThrowingStream<[UInt8], any Error> { continuation in
        continuation.onTermination = { _ in cancelled.set() }
        continuation.yield([0x61])
      }
      started.set()
      if hasBegun { return Response(body: .stream(stream)) }
      do { try await Task.sleep(for: .seconds(3_600)) } catch { cancelled.set() }
      return Response(body: .stream(stream))
    }
    try await withFront(responder) { path in
      let client = try await RawClient(path)
      try await client.send("GET /ours HTTP/1.1\r\n\r\n")
      if hasBegun { _ = try await client.read(until: "a\r\n") }
      try await eventually { started.isSet }
      client.channel.close()
      try await eventually { cancelled.isSet }
    }
  }

  @Test("wait for a client that does not read")
  func backPressure() async throws {
    let produced = Mutex(0)
    let total = 64 * 1_024 * 1_024
    let responder = TestResponder { _ in
      let counter = AsyncThrowingStream<[UInt8], any Error> {
        produced.withLock { produced in
          guard produced < total else { return nil }
          produced += 65_536
          return [UInt8](repeating: 1, count: 65_536)
        }
      }
      return Response(body: .stream(counter))
    }
    try await withFront(responder) { path in
      let client = try await RawClient(path)
      try await client.send("GET /ours HTTP/1.0\r\n\r\n")
      // The first read is the head and perhaps more.
      var received = try await client.channel.read()?.readableBytes ?? 0
      // The kernel's buffer fills, and nothing more is asked for.
      try await settles { produced.withLock { $0 } }
      #expect(produced.withLock { $0 } < 2 * 1_024 * 1_024)
      while let part = try await client.channel.read() { received += part.readableBytes }
      #expect(received >= total)
    }
  }
}
