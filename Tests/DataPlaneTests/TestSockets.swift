// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Synchronization
import Testing

@testable import Balancing
@testable import DataPlane

/// A blocking client socket with a receive limit of 5 s, so that a relay that loses bytes fails the test and does not hang it.
struct TestClient {
  let descriptor: Int32

  init(port: UInt16, receiveBuffer: Int32? = nil) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    if var size = receiveBuffer { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4) }
    var patience = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    guard result == 0 else { throw DataPlaneError(.system, "connect", errno: errno) }
  }

  init(descriptor: Int32) { self.descriptor = descriptor }

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { throw DataPlaneError(.system, "send", errno: errno) }
      rest = rest.dropFirst(count)
    }
  }

  /// As recv(2): empty at the end.
  func receive(_ limit: Int = 65_536) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = recv(descriptor, &bytes, limit, 0)
    guard count >= 0 else { throw DataPlaneError(.system, "receive", errno: errno) }
    return Array(bytes[..<count])
  }

  func receiveText() throws -> String { String(decoding: try receive(), as: UTF8.self) }

  func receiveToEnd() throws -> [UInt8] {
    var all: [UInt8] = []
    while true {
      let part = try receive()
      if part.isEmpty { return all }
      all += part
    }
  }

  func finish() { shutdown(descriptor, Int32(SHUT_WR)) }
  func reset() { cl_reset(descriptor) }
  func close() { Glibc.close(descriptor) }

  /// Connects, receives the greeting of a `Backend.named` and leaves.
  static func whoAnswers(port: UInt16) throws -> String {
    let client = try TestClient(port: port)
    defer { client.close() }
    return String(decoding: try client.receiveToEnd(), as: UTF8.self)
  }
}

/// A server on loopback with a thread per connection.
final class Backend: Sendable {
  let port: UInt16
  private let listener: Int32
  private let accepted = Mutex(0)

  init(_ serve: @escaping @Sendable (TestClient) throws -> Void) throws {
    let listener = cl_listen(0, 512)
    self.listener = listener
    port = UInt16(cl_local_port(listener))
    _ = fcntl(listener, F_SETFL, 0)
    DedicatedThread.start { [weak self] in
      while case let connection = accept(listener, nil, nil), connection >= 0 {
        self?.accepted.withLock { $0 += 1 }
        DedicatedThread.start { try? serve(TestClient(descriptor: connection)) }
      }
    }
  }

  /// Says its name and closes.
  static func named(_ name: String) throws -> Backend {
    try Backend { client in
      try client.send(name)
      client.close()
    }
  }

  /// Says its name, then holds the connection until the client ends it.
  static func holding(_ name: String) throws -> Backend {
    try Backend { client in
      try client.send(name)
      _ = try? client.receiveToEnd()
      client.close()
    }
  }

  /// Sends back what it gets, and its end after the client's.
  static func echo() throws -> Backend {
    try Backend { client in
      while case let bytes = try client.receive(), !bytes.isEmpty { try client.send(bytes) }
      client.close()
    }
  }

  var connections: Int { accepted.withLock { $0 } }

  func endpoint(_ id: String, _ state: Endpoint.State = .ready) -> Endpoint {
    Endpoint(id: id, address: .loopback, port: port, state: state)
  }

  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  deinit {
    stop()
    close(listener)
  }
}

/// Runs what blocks on a thread of its own: the tests share a pool of as many threads as there are processors.
func offPool<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    DedicatedThread.start { continuation.resume(with: Result { try body() }) }
  }
}

/// Polls until the condition holds; false after five seconds.
func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
  let clock = ContinuousClock()
  let deadline = clock.now + .seconds(5)
  while clock.now < deadline {
    if try await condition() { return true }
    try await Task.sleep(for: .milliseconds(2))
  }
  return try await condition()
}

/// An endpoint nobody answers at: the port was bound a moment ago and is closed.
func refusingEndpoint(_ id: String) -> Endpoint {
  let listener = cl_listen(0, 1)
  defer { close(listener) }
  return Endpoint(id: id, address: .loopback, port: UInt16(cl_local_port(listener)))
}

/// A listening socket whose accept queue is full: connecting to it gets no answer at all.
final class SilentEndpoint: Sendable {
  private let listener: Int32
  private let fillers: [Int32]
  let port: UInt16

  init() throws {
    listener = cl_listen(0, 0)
    let port = UInt16(cl_local_port(listener))
    self.port = port
    fillers = (0..<4).map { _ in cl_connect(0x7f00_0001, port, 0) }
  }

  func endpoint(_ id: String) -> Endpoint { Endpoint(id: id, address: .loopback, port: port) }

  deinit {
    for filler in fillers { close(filler) }
    close(listener)
  }
}

/// A directory that is gone after the test. Its name is short: socket paths are.
final class TestDirectory: Sendable {
  let path: String

  init() throws {
    var template = Array("/tmp/skep-relay-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw DataPlaneError(.system, "mkdtemp", errno: errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    for name in ["relay.sock", "relay.sock.lock", "relay.pid", "relay.log", "limited"] { unlink("\(path)/\(name)") }
    rmdir(path)
  }
}
