// SPDX-License-Identifier: Apache-2.0

import EngineAPI
import Foundation
import Logging
import SocketTestKit
import Testing

@Suite("The page of metrics")
struct MetricsEndpointTests {
  private static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

  private static func serve(
    _ addresses: [ListenAddress], settings: FrontSettings = .metrics, page: @escaping @Sendable () async -> [UInt8],
    _ body: @escaping @Sendable () async throws -> Void
  ) async throws {
    let endpoint = MetricsEndpoint(contentType: "text/plain; version=0.0.4", page: page)
    let front = HTTPFront(
      listen: addresses, engineSocket: "/nowhere", responder: endpoint, settings: settings, logger: Self.logger)
    let (isReady, ready) = AsyncStream.makeStream(of: Never.self)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await front.run { ready.finish() } }
      for await _ in isReady {}
      try await within { try await body() }
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  @Test(
    "is told to GET, its head to HEAD; anything else is refused",
    arguments: [
      (
        "GET /metrics HTTP/1.0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nServer: Skep\r\nContent-Length: 4\r\nConnection: close\r\n\r\na 1\n"
      ),
      (
        "GET /metrics?x=y HTTP/1.0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nServer: Skep\r\nContent-Length: 4\r\nConnection: close\r\n\r\na 1\n"
      ),
      (
        "HEAD /metrics HTTP/1.0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nServer: Skep\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"
      ),
      (
        "POST /metrics HTTP/1.0\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: application/json\r\nAllow: GET, HEAD\r\nServer: Skep\r\n"
      ),
      ("GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nServer: Skep\r\n"),
      ("GET /v1.41/metrics HTTP/1.0\r\n\r\n", "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nServer: Skep\r\n"),
      ("GET /containers/json HTTP/1.0\r\n\r\n", "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nServer: Skep\r\n"),
    ])
  func requests(request: String, start: String) async throws {
    try await withFolder { folder in
      let path = folder + "/metrics.sock"
      try await Self.serve([.unix(path: path, group: nil)], page: { Array("a 1\n".utf8) }) {
        let answer = try await RawClient.exchange(path, request)
        #expect(answer.hasPrefix(start), "\(answer)")
        if request.hasPrefix("HEAD") { #expect(answer == start) }
      }
    }
  }

  @Test("is told on a TCP port too, which is free again afterwards; a taken one is an error with its address")
  func tcp() async throws {
    try await withFolder { folder in
      let port = try Self.freePort()
      let (unix, tcp) = (ListenAddress.unix(path: folder + "/m", group: nil), ListenAddress.tcp(host: "127.0.0.1", port: port))
      for _ in 1...2 {
        try await Self.serve([unix, tcp], page: { Array("a 1\n".utf8) }) {
          let answer = try await Self.get(port)
          #expect(answer.hasSuffix("\r\n\r\na 1\n"))
          let second = HTTPFront(
            listen: [tcp], engineSocket: "/nowhere", responder: TestResponder(), settings: .metrics, logger: Self.logger)
          let message = "cannot listen on tcp://127.0.0.1:\(port): bind: Address already in use"
          await #expect(performing: { try await second.run() }, throws: { ($0 as? FrontError)?.message == message })
        }
      }
    }
  }

  private static func freePort() throws -> UInt16 {
    try withSocket(port: 0) { descriptor, address, size in
      var size = size
      _ = bind(descriptor, address, size)
      _ = getsockname(descriptor, address, &size)
    }.port
  }

  /// What the port answers to one GET.
  private static func get(_ port: UInt16) async throws -> String {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try exchange(port) }) }
    }
  }

  private static func exchange(_ port: UInt16) throws -> String {
    var answer: [UInt8] = []
    _ = try withSocket(port: port) { descriptor, address, size in
      let request = Array("GET /metrics HTTP/1.0\r\n\r\n".utf8)
      var buffer = [UInt8](repeating: 0, count: 4_096)
      guard connect(descriptor, address, size) == 0, write(descriptor, request, request.count) > 0 else { return }
      while case let count = read(descriptor, &buffer, buffer.count), count > 0 { answer += buffer[..<count] }
    }
    return String(decoding: answer, as: UTF8.self)
  }

  private static func withSocket(port: UInt16, _ body: (CInt, UnsafeMutablePointer<sockaddr>, socklen_t) -> Void) throws
    -> (port: UInt16, Void)
  {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    try #require(inet_pton(AF_INET, "127.0.0.1", &address.sin_addr) == 1)
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    return (UInt16(bigEndian: address.sin_port), ())
  }

  @Test("is given up for a client that does not read it: other scrapers are served, and it never gets the end")
  func slow() async throws {
    var settings = FrontSettings.metrics
    settings.answerTimeout = .milliseconds(500)
    settings.maximumConnections = 1
    let page = [UInt8](repeating: 0x23, count: 2 << 20)
    try await withFolder { [settings] folder in
      let path = folder + "/m"
      try await Self.serve([.unix(path: path, group: nil)], settings: settings, page: { page }) {
        let slow = try await RawClient(path)
        try await slow.send("GET /metrics HTTP/1.0\r\n\r\n")
        _ = try await slow.read(until: "\r\n\r\n")
        try await eventually {
          (try? await RawClient.exchange(path, "GET /metrics HTTP/1.0\r\n\r\n").utf8.count > page.count) == true
        }
        #expect(try await slow.rest().utf8.count < page.count)
      }
    }
  }

  @Test(
    "has an address in numbers",
    arguments: [
      ("127.0.0.1:9323", "tcp://127.0.0.1:9323"), ("0.0.0.0:1", "tcp://0.0.0.0:1"), ("localhost:80", "tcp://127.0.0.1:80"),
      ("[::1]:65535", "tcp://[::1]:65535"), ("[::]:9323", "tcp://[::]:9323"), ("", nil), (":9323", nil), ("9323", nil),
      ("127.0.0.1", nil), ("127.0.0.1:", nil), ("127.0.0.1:0", nil), ("127.0.0.1:65536", nil), ("127.0.0.1:+80", nil),
      ("127.0.0.1:080", nil), ("host:80", nil), ("::1:80", nil), ("[::1]80", nil), ("[::x]:80", nil), ("[127.0.0.1]:80", nil),
      ("http://127.0.0.1:80", nil), ("127.1:80", nil),
    ])
  func address(text: String, description: String?) { #expect(ListenAddress(tcp: text).map { "\($0)" } == description) }
}
