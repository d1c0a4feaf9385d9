// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineAPI
import Foundation
import HTTPWire
import Logging
import NIOCore
import Synchronization
import Testing

/// A folder with a path short enough for sockets, removed at the end.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  let path = "/tmp/skep-\(UInt32.random(in: 0 ... .max))"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try await body(path)
}

/// Runs `serve` for each connection to the unix socket at `path` while `body` runs.
func withServer(
  _ path: String, serve: @escaping @Sendable (ByteChannel) async throws -> Void, _ body: @Sendable () async throws -> Void
) async throws {
  let descriptor = try bindSocket(path)
  let server = try await ByteChannel.accept(on: descriptor)
  try await server.executeThenClose { incoming in
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await withThrowingDiscardingTaskGroup { connections in
          for try await channel in incoming {
            connections.addTask {
              try? await serve(channel)
              channel.close()
            }
          }
        }
      }
      try await body()
      group.cancelAll()
    }
  }
}

private func bindSocket(_ path: String) throws -> CInt {
  let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
  let result = withUnsafePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
  }
  try #require(result == 0)
  return descriptor
}

struct TimedOut: Error {}

/// Fails when `work` takes longer than `limit`.
func within<Result: Sendable>(_ limit: Duration = .seconds(20), _ work: @escaping @Sendable () async throws -> Result)
  async throws
  -> Result
{
  try await withThrowingTaskGroup(of: Result.self) { group in
    group.addTask(operation: work)
    group.addTask {
      try await Task.sleep(for: limit)
      throw TimedOut()
    }
    defer { group.cancelAll() }
    return try #require(try await group.next())
  }
}

/// Waits until `condition` holds.
func eventually(_ condition: @escaping @Sendable () async -> Bool) async throws {
  try await within {
    while !(await condition()) { try await Task.sleep(for: .milliseconds(5)) }
  }
}

/// Answers below `/ours`.
struct TestResponder: Responder {
  var routing: @Sendable (RequestLine) -> Route
  var answering: @Sendable (Request) async throws -> Response

  init(
    _ answering: @escaping @Sendable (Request) async throws -> Response = { _ in .json(["ok": true]) },
    routing: @escaping @Sendable (RequestLine) -> Route = { $0.path.hasPrefix("/ours") ? .ours : .pipe }
  ) {
    self.routing = routing
    self.answering = answering
  }

  func route(_ line: RequestLine) -> Route { routing(line) }
  func respond(to request: Request) async throws -> Response { try await answering(request) }
}

/// A front with a fake engine behind it; `body` gets the path of the front's socket.
func withFront(
  _ responder: TestResponder = TestResponder(), settings: FrontSettings = FrontSettings(),
  engine: @escaping @Sendable (ByteChannel) async throws -> Void = { _ in },
  _ body: @escaping @Sendable (String) async throws -> Void
) async throws {
  try await withFolder { folder in
    try await withServer(folder + "/engine.sock", serve: engine) {
      try await runFront(responder, settings: settings, folder: folder, body)
    }
  }
}

func runFront(
  _ responder: TestResponder, settings: FrontSettings = FrontSettings(), folder: String,
  _ body: @escaping @Sendable (String) async throws -> Void
) async throws {
  let path = folder + "/front.sock"
  let front = HTTPFront(
    listen: [.unix(path: path, group: nil)], engineSocket: folder + "/engine.sock", responder: responder, settings: settings,
    logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
  let (isReady, ready) = AsyncStream.makeStream(of: Never.self)
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await front.run { ready.finish() } }
    for await _ in isReady {}
    try await within { try await body(path) }
    group.cancelAll()
    try await group.waitForAll()
  }
}

/// A client that writes and reads raw bytes.
struct RawClient: Sendable {
  let channel: ByteChannel

  init(_ path: String) async throws { channel = try await ByteChannel.connect(toUnixSocket: path) }

  func send(_ text: String) async throws { try await channel.write(Array(text.utf8)) }

  /// Everything up to the end.
  func rest() async throws -> String {
    var bytes: [UInt8] = []
    while let part = try await channel.read() { bytes.append(contentsOf: part.readableBytesView) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Reads until `ending` has come; what comes in the same read behind it is included.
  func read(until ending: String) async throws -> String {
    var text = ""
    while !text.contains(ending), let part = try await channel.read() { text += String(buffer: part) }
    return text
  }

  static func exchange(_ path: String, _ text: String) async throws -> String {
    let client = try await RawClient(path)
    try await client.send(text)
    return try await client.rest()
  }
}

/// Reads a head; the rest stays in the reader.
func readHead(_ reader: inout ByteReader) async throws -> RequestHead {
  try HeadParser.request(try #require(try await reader.head(limit: 65_536)))
}

final class Flag: Sendable {
  private let state = Mutex(false)
  var isSet: Bool { state.withLock { $0 } }
  func set() { state.withLock { $0 = true } }
}
