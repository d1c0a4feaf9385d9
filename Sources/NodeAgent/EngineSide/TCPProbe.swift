// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Glibc

/// Asks whether a port accepts connections. Non-blocking sockets looked at between sleeps: no thread waits.
enum TCPProbe {
  /// One attempt, at most about a second. `false` for whatever is not an accepted connection.
  static func accepts(_ address: IPv4Address, port: UInt16, clock: AgentClock) async -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    if connect(descriptor, address, port) { return true }
    return errno == EINPROGRESS ? await waitUntilDecided(descriptor, clock) : false
  }

  private static func connect(_ descriptor: Int32, _ address: IPv4Address, _ port: UInt16) -> Bool {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = address.bits.bigEndian
    return withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }

  private static func waitUntilDecided(_ descriptor: Int32, _ clock: AgentClock) async -> Bool {
    var pause = Duration.milliseconds(1)
    while pause < .milliseconds(600) {
      var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      if poll(&entry, 1, 0) > 0 { return errorCode(descriptor) == 0 }
      do { try await clock.sleep(pause) } catch { return false }
      pause = pause * 2
    }
    return false
  }

  private static func errorCode(_ descriptor: Int32) -> Int32 {
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno
  }
}

extension TCPProbe {
  /// Tries every 50 ms for a second, then every 250 ms, until all ports have accepted, `patience` has passed since the first did, or
  /// it is cancelled: then `false`.
  static func untilAccepting(
    _ address: IPv4Address, ports: [UInt16], patience: Duration, clock: AgentClock
  ) async -> Bool {
    var closed = ports
    var end: Duration?
    var attempts = 0
    while !Task.isCancelled {
      for port in closed where await accepts(address, port: port, clock: clock) { closed.removeAll { $0 == port } }
      if closed.isEmpty { return true }
      let now = clock.now().uptime
      if closed.count < ports.count, end == nil { end = now + patience }
      if let end, now >= end { return true }
      attempts += 1
      do { try await clock.sleep(.milliseconds(attempts < 20 ? 50 : 250)) } catch { return false }
    }
    return false
  }
}
