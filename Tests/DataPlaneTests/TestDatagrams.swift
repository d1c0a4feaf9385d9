// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Synchronization

@testable import Balancing
@testable import DataPlane

/// A client's UDP socket that hears one peer only, with a receive limit of 2 s.
struct DatagramClient {
  let descriptor: Int32

  init(port: UInt16, address: UInt32 = 0x7f00_0001) throws {
    descriptor = cl_connect_datagram(address, port, 0)
    guard descriptor >= 0 else { throw DataPlaneError.system("connect", descriptor) }
    _ = fcntl(descriptor, F_SETFL, 0)
    var patience = timeval(tv_sec: 2, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
  }

  func send(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, 0) }

  /// The answer; `nil` when none comes.
  func ask(_ bytes: [UInt8] = [1]) -> [UInt8]? {
    send(bytes)
    var answer = [UInt8](repeating: 0, count: 70_000)
    let count = recv(descriptor, &answer, answer.count, 0)
    return count >= 0 ? Array(answer[..<count]) : nil
  }

  func askText() -> String? { ask().map { String(decoding: $0, as: UTF8.self) } }
  func close() { Glibc.close(descriptor) }
}

/// A UDP server on loopback.
final class DatagramBackend: Sendable {
  let port: UInt16
  private let descriptor: Int32
  private let state = Mutex((received: 0, isStopped: false))

  /// Answers with what `answer` makes of a datagram; `nil` is silence.
  init(_ answer: @escaping @Sendable ([UInt8]) -> [UInt8]?) {
    let descriptor = cl_bind_datagram(0)
    self.descriptor = descriptor
    port = UInt16(cl_local_port(descriptor))
    DedicatedThread.start { [weak self] in
      var bytes = [UInt8](repeating: 0, count: 70_000)
      var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      while self?.state.withLock({ $0.isStopped }) == false {
        guard poll(&watched, 1, 10) > 0 else { continue }
        var flow = cl_flow()
        let count = cl_receive_from(descriptor, &bytes, bytes.count, &flow)
        guard count >= 0 else { continue }
        self?.state.withLock { $0.received += 1 }
        if let reply = answer(Array(bytes[..<count])) { cl_send_to(descriptor, reply, reply.count, &flow) }
      }
      close(descriptor)
    }
  }

  static func named(_ name: String) -> DatagramBackend { DatagramBackend { _ in Array(name.utf8) } }
  static func echo() -> DatagramBackend { DatagramBackend { $0 } }
  static func silent() -> DatagramBackend { DatagramBackend { _ in nil } }

  var received: Int { state.withLock { $0.received } }

  func endpoint(_ id: String, _ state: Endpoint.State = .ready) -> Endpoint {
    Endpoint(id: id, address: .loopback, port: port, state: state)
  }

  func stop() { state.withLock { $0.isStopped = true } }
  deinit { stop() }
}
