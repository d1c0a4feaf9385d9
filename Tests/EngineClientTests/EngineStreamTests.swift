// SPDX-License-Identifier: Apache-2.0

import EngineClient
import HTTPWire
import NIOCore
import SocketTestKit
import Synchronization
import Testing

@Suite("Streams from the engine")
struct EngineStreamTests {
  private static func client(
    _ folder: String, _ body: @escaping @Sendable (ByteChannel) async throws -> Void,
    _ work: @escaping @Sendable (EngineClient) async throws -> Void
  ) async throws {
    try await withServer(folder + "/e") { channel in
      var reader = ByteReader(channel)
      let isPing = try await readHead(&reader).target == "/_ping"
      try await channel.write(Array("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\n\r\n".utf8))
      if !isPing { try await body(channel) }
    } _: {
      try await within { try await work(EngineClient(socketPath: folder + "/e")) }
    }
  }

  private static let frames: [(UInt8, String)] = [
    (1, "one\n"), (2, ""), (2, "two\n"), (3, "system"), (1, String(repeating: "x", count: 70_000)),
  ]

  private static var bytes: [UInt8] {
    frames.flatMap { kind, text in
      let length = UInt32(text.utf8.count).bigEndian
      return [kind, 0, 0, 0] + withUnsafeBytes(of: length, Array.init) + Array(text.utf8)
    }
  }

  @Test("log frames come out whole, however the bytes were cut", arguments: [1, 3, 8, 9, 4_096, 200_000])
  func demultiplex(pieces: Int) throws {
    var demuxer = LogDemuxer()
    var frames: [(UInt8, String)] = []
    var left = Self.bytes[...]
    while !left.isEmpty {
      demuxer.append(ByteBuffer(bytes: left.prefix(pieces)))
      left = left.dropFirst(pieces)
      while let frame = try demuxer.next() { frames.append((frame.source.rawValue, String(buffer: frame.bytes))) }
    }
    #expect(demuxer.isBetweenFrames && frames.map(\.0) == Self.frames.map(\.0) && frames.map(\.1) == Self.frames.map(\.1))
  }

  @Test(
    "log frames that make no sense are refused",
    arguments: [[9, 0, 0, 0, 0, 0, 0, 1, 65], [1, 0, 0, 0, 255, 0, 0, 0]] as [[UInt8]])
  func badFrames(bytes: [UInt8]) {
    var demuxer = LogDemuxer()
    demuxer.append(ByteBuffer(bytes: bytes))
    #expect(throws: EngineError.self) { try demuxer.next() }
  }

  @Test("logs of a container with a terminal are raw")
  func logs() async throws {
    try await withFolder { folder in
      try await Self.client(folder) {
        try await $0.write(Self.bytes)
      } _: { client in
        var options = LogOptions()
        var texts: [String] = []
        for try await frame in try await client.logs("x", options) { texts.append(String(buffer: frame.bytes)) }
        #expect(texts == Self.frames.map(\.1))
        options.isTerminal = true
        var count = 0
        for try await frame in try await client.logs("x", options) { count += frame.bytes.readableBytes }
        #expect(count == Self.bytes.count)
      }
    }
  }

  private static func drain(_ client: EngineClient) async throws {
    for try await _ in try await client.logs("x", LogOptions()) {}
  }

  @Test("a log that ends inside a frame was lost")
  func truncated() async throws {
    try await withFolder { folder in
      try await Self.client(folder) {
        try await $0.write([1, 0, 0, 0, 0, 0, 0, 9, 65])
      } _: { client in
        let error = await #expect(throws: EngineError.self) { try await Self.drain(client) }
        #expect(error?.code == .connectionLost)
      }
    }
  }

  @Test("events come one by one")
  func events() async throws {
    let line =
      #"{"Type":"container","Action":"die","Actor":{"ID":"c1","Attributes":{"exitCode":"3"}},"scope":"local","timeNano":17}"#
    try await withFolder { folder in
      try await Self.client(folder) { channel in
        for part in [line.prefix(20), line.dropFirst(20) + "\n\n" + line.prefix(5), line.dropFirst(5)] {
          try await channel.write(Array(part.utf8))
        }
      } _: { client in
        var events: [EngineEvent] = []
        for try await event in try await client.events(since: "1", until: nil, filters: ["type": ["container"]]) {
          events.append(event)
        }
        let expected = EngineEvent(
          type: "container", action: "die", actor: .init(id: "c1", attributes: ["exitCode": "3"]), scope: "local", timeNano: 17)
        #expect(events == [expected, expected])
      }
    }
  }

  @Test("events can be had in the engine's own words")
  func eventLines() async throws {
    let asked = Mutex("")
    let odd = #"{ "Type":"x",  "n":1.0 }"#
    try await withFolder { folder in
      try await withServer(folder + "/engine.sock") { channel in
        var reader = ByteReader(channel)
        let head = try await readHead(&reader)
        if head.target == "/_ping" {
          return try await channel.write(Array("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 0\r\n\r\n".utf8))
        }
        asked.withLock { $0 = head.target }
        guard !head.target.contains("bad") else {
          let body = #"{"message":"no"}"#
          return try await channel.write(Array("HTTP/1.1 400 Bad\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8))
        }
        try await channel.write(Array("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\n\(odd.prefix(9))".utf8))
        try await channel.write(Array("\(odd.dropFirst(9))\n\n\(odd)".utf8))
      } _: {
        let client = EngineClient(socketPath: folder + "/engine.sock")
        let answer = try await client.eventLines(query: "since=1&filters=%7b}&x")
        #expect(answer.contentType == "a/b" && asked.withLock { $0 } == "/v1.41/events?since=1&filters=%7b}&x")
        var lines: [String] = []
        for try await line in answer.lines { lines.append(String(decoding: line, as: UTF8.self)) }
        #expect(lines == [odd, odd])
        let error = await #expect(throws: EngineError.self) { try await client.eventLines(query: "bad") }
        #expect(error?.status == 400 && error?.message == "no")
      }
    }
  }

  @Test("a slow reader slows the engine down")
  func backPressure() async throws {
    let sent = Mutex(0)
    let pieces = 1_000
    try await withFolder { folder in
      try await Self.client(folder) { channel in
        for _ in 0..<pieces {
          try await channel.write([1, 0, 0, 0, 0, 0, 0xff, 0xf8] + [UInt8](repeating: 65, count: 65_528))
          sent.withLock { $0 += 1 }
        }
      } _: { client in
        let logs = try await client.logs("x", LogOptions())
        try await settles { sent.withLock { $0 } }
        #expect(sent.withLock { $0 } < 16)
        var count = 0
        for try await _ in logs { count += 1 }
        #expect(count == pieces)
      }
    }
  }

  @Test("dropping a stream closes it at the engine")
  func dropped() async throws {
    let ended = Flag()
    try await withFolder { folder in
      try await Self.client(folder) { channel in
        try await channel.write(Array("{\"Type\":\"x\"}\n".utf8))
        await channel.closed()
        ended.set()
      } _: { client in
        for try await _ in try await client.events(since: nil, until: nil, filters: [:]) { break }
        try await eventually { ended.isSet }
      }
    }
  }
}
