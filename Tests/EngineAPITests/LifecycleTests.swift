// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineAPI
import Foundation
import HTTPWire
import Logging
import NIOCore
import SocketTestKit
import Synchronization
import Testing

@Suite("The front's sockets and its end")
struct LifecycleTests {
  private static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

  @Test("the socket is for its owner and its group only, and is removed at the end")
  func mode() async throws {
    try await withFolder { folder in
      try await runFront(TestResponder(), folder: folder) { path in
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o660)
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
  }

  @Test("a live socket is left alone, a dead one replaced, a file refused")
  func occupied() async throws {
    try await withFolder { folder in
      let path = folder + "/front.sock"
      try await withServer(path, serve: { _ in }) {
        await Self.expectRefusal(path, "another process is listening on unix://\(path)")
      }
      // The server above left its socket file behind.
      #expect(FileManager.default.fileExists(atPath: path))
      try await runFront(TestResponder(), folder: folder) { path in
        let answer = try await RawClient.exchange(path, "GET /ours HTTP/1.0\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 200"))
      }
      try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
      await Self.expectRefusal(path, "\(path) exists and is not a socket")
    }
  }

  private static func expectRefusal(_ path: String, _ message: String) async {
    let front = HTTPFront(listen: [.unix(path: path)], engineSocket: "/nowhere", responder: TestResponder(), logger: logger)
    await #expect(performing: { try await front.run() }, throws: { ($0 as? FrontError)?.message == message })
  }

  @Test("a deleted socket file comes back, and open connections stay")
  func deleted() async throws {
    var settings = FrontSettings()
    settings.fileCheck = .milliseconds(10)
    try await withFront(settings: settings) { path in
      let old = try await RawClient(path)
      try await old.send("GET /ours HTTP/1.1\r\n\r\n")
      _ = try await old.read(until: "}\n")
      try FileManager.default.removeItem(atPath: path)
      try await eventually {
        (try? await RawClient.exchange(path, "GET /ours HTTP/1.0\r\n\r\n").hasPrefix("HTTP/1.1 200")) == true
      }
      try await old.send("GET /ours HTTP/1.0\r\n\r\n")
      #expect(try await old.rest().hasPrefix("HTTP/1.1 200"))
    }
  }

  @Test("a socket whose whole folder is deleted comes back")
  func folderDeleted() async throws {
    var settings = FrontSettings()
    settings.fileCheck = .milliseconds(10)
    try await withFront(settings: settings) { path in
      try FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent)
      try await eventually {
        (try? await RawClient.exchange(path, "GET /ours HTTP/1.0\r\n\r\n").hasPrefix("HTTP/1.1 200")) == true
      }
    }
  }

  @Test("shutting down lets an answer finish and ends idle connections and pipes")
  func drain() async throws {
    let asked = Flag()
    let go = Flag()
    let responder = TestResponder { _ in
      asked.set()
      try await eventually { go.isSet }
      return .json(["late": true])
    }
    try await withFolder { folder in
      try await withServer(folder + "/engine.sock") { channel in
        var reader = ByteReader(channel)
        _ = try await readHead(&reader)
        try await channel.write(Array("HTTP/1.1 200 OK\r\n\r\nx".utf8))
        await channel.closed()
      } _: {
        let path = folder + "/front.sock"
        let front = HTTPFront(
          listen: [.unix(path: path, group: nil)], engineSocket: folder + "/engine.sock", responder: responder,
          logger: Self.logger)
        let (isReady, ready) = AsyncStream.makeStream(of: Never.self)
        let running = Task { try await front.run { ready.finish() } }
        for await _ in isReady {}
        let idle = try await RawClient(path)
        let piped = try await RawClient(path)
        try await piped.send("GET /events HTTP/1.1\r\n\r\n")
        _ = try await piped.read(until: "x")
        let busy = try await RawClient(path)
        try await busy.send("GET /ours HTTP/1.1\r\n\r\n")
        try await eventually { asked.isSet }
        running.cancel()
        #expect(try await idle.rest() == "")
        #expect(try await piped.rest() == "")
        await #expect(throws: (any Error).self) { try await eventuallyRefused(path) }
        go.set()
        let answer = try await busy.rest()
        #expect(answer.hasSuffix("{\"late\":true}\n") && answer.contains("\r\nConnection: close\r\n"))
        try await running.value
      }
    }
  }

  /// Throws when connecting does.
  private func eventuallyRefused(_ path: String) async throws {
    for _ in 0..<1_000 {
      let client = try await RawClient(path)
      client.channel.close()
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  @Test("shutting down ends at once what would go on for ever")
  func endless() async throws {
    var settings = FrontSettings()
    settings.drainTime = .seconds(20)
    let (stream, source) = AsyncThrowingStream<[UInt8], any Error>.makeStream()
    source.yield(Array("line".utf8))
    let responder = TestResponder { _ in Response(body: .stream(stream), isEndless: true) }
    // Who stays until told.
    let clients = Mutex<[RawClient]>([])
    let duration = try await ContinuousClock().measure {
      try await withFront(responder, settings: settings) { path in
        let client = try await RawClient(path)
        clients.withLock { $0.append(client) }
        try await client.send("GET /ours HTTP/1.1\r\n\r\n")
        #expect(try await client.read(until: "line\r\n").contains("Transfer-Encoding: chunked"))
      }
    }
    #expect(duration < settings.drainTime)
  }

  @Test("shutting down does not wait for ever")
  func deadline() async throws {
    var settings = FrontSettings()
    settings.drainTime = .milliseconds(50)
    let asked = Flag()
    let responder = TestResponder { _ in
      asked.set()
      try await Task.sleep(for: .seconds(3_600))
      return .json([:])
    }
    try await withFront(responder, settings: settings) { path in
      let client = try await RawClient(path)
      try await client.send("GET /ours HTTP/1.1\r\n\r\n")
      try await eventually { asked.isSet }
    }
  }

  @Test("a head that does not come in time ends the connection")
  func slowHead() async throws {
    var settings = FrontSettings()
    settings.headTimeout = .milliseconds(50)
    try await withFront(settings: settings) { path in
      let silent = try await RawClient(path)
      let slow = try await RawClient(path)
      try await slow.send("GET /ours HTT")
      #expect(try await silent.rest() == "")
      #expect(try await !slow.rest().contains("200 OK"))
    }
  }

  @Test("a body that stops coming ends the connection")
  func stuckBody() async throws {
    var settings = FrontSettings()
    settings.bodyTimeout = .milliseconds(50)
    try await withFront(settings: settings) { path in
      let client = try await RawClient(path)
      try await client.send("POST /ours HTTP/1.1\r\nContent-Length: 4\r\n\r\nx")
      #expect(try await !client.rest().contains("200 OK"))
    }
  }

  @Test("a body for which there is no room beside others is refused")
  func bodies() async throws {
    var settings = FrontSettings()
    settings.maximumBodies = 1_000
    try await withFront(settings: settings) { path in
      for (size, status) in [(1_001, 503), (1_000, 200)] {
        let post = "POST /ours HTTP/1.0\r\nContent-Length: \(size)\r\n\r\n"
        let answer = try await RawClient.exchange(path, post + String(repeating: "x", count: size))
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
      }
    }
  }

  @Test("connections over the limit are told so")
  func limit() async throws {
    var settings = FrontSettings()
    settings.maximumConnections = 1
    try await withFront(settings: settings) { path in
      let first = try await RawClient(path)
      try await first.send("GET /ours HTTP/1.1\r\n\r\n")
      _ = try await first.read(until: "}\n")
      #expect(try await RawClient(path).rest().contains("too many open connections"))
      first.channel.close()
      try await eventually {
        (try? await RawClient.exchange(path, "GET /ours HTTP/1.0\r\n\r\n").hasPrefix("HTTP/1.1 200")) == true
      }
    }
  }
}
