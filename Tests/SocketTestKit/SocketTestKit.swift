// SPDX-License-Identifier: Apache-2.0

import Foundation
package import HTTPWire
import NIOCore
import Synchronization

/// A folder with a path short enough for sockets, removed at the end.
package func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  let path = "/tmp/skep-\(UInt32.random(in: 0 ... .max))"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try await body(path)
}

/// Runs `serve` for each connection to the unix socket at `path` while `body` runs.
package func withServer(
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
  if result != 0 { throw Refused(reason: "bind: \(errno)") }
  return descriptor
}

package struct TimedOut: Error {
  package init() {}
}

struct Refused: Error {
  let reason: String
}

/// Fails when `work` takes longer than `limit`.
package func within<Result: Sendable>(_ limit: Duration = .seconds(20), _ work: @escaping @Sendable () async throws -> Result)
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
    guard let result = try await group.next() else { throw TimedOut() }
    return result
  }
}

/// Waits until `condition` holds.
package func eventually(_ condition: @escaping @Sendable () async -> Bool) async throws {
  try await within {
    while !(await condition()) { try await Task.sleep(for: .milliseconds(5)) }
  }
}

/// A client that writes and reads raw bytes.
package struct RawClient: Sendable {
  package let channel: ByteChannel

  package init(_ path: String) async throws { channel = try await ByteChannel.connect(toUnixSocket: path) }

  package func send(_ text: String) async throws { try await channel.write(Array(text.utf8)) }

  /// Everything up to the end.
  package func rest() async throws -> String {
    var bytes: [UInt8] = []
    while let part = try await channel.read() { bytes.append(contentsOf: part.readableBytesView) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Reads until `ending` has come; what comes in the same read behind it is included.
  package func read(until ending: String) async throws -> String {
    var text = ""
    while !text.contains(ending), let part = try await channel.read() { text += String(buffer: part) }
    return text
  }

  package static func exchange(_ path: String, _ text: String) async throws -> String {
    let client = try await RawClient(path)
    try await client.send(text)
    return try await client.rest()
  }
}

/// Reads a head; the rest stays in the reader.
package func readHead(_ reader: inout ByteReader) async throws -> RequestHead {
  guard let bytes = try await reader.head(limit: 65_536) else { throw Refused(reason: "no request came") }
  return try HeadParser.request(bytes)
}

package final class Flag: Sendable {
  package init() {}
  private let state = Mutex(false)
  package var isSet: Bool { state.withLock { $0 } }
  package func set() { state.withLock { $0 = true } }
}

/// Waits until `value` has stayed the same for a while.
package func settles(_ value: @escaping @Sendable () -> Int) async throws {
  try await within {
    var (last, same) = (-1, 0)
    while same < 20 {
      try await Task.sleep(for: .milliseconds(10))
      (last, same) = value() == last && last > 0 ? (last, same + 1) : (value(), 0)
    }
  }
}

package func removeFile(_ path: String) throws {
  try FileManager.default.removeItem(atPath: path)
}
