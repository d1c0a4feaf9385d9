// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Testing

@testable import ServiceManager

@Suite("systemd", .serialized)
struct ServiceManagerTests {
  @Test("is told in one datagram, by path or by abstract name", arguments: [false, true])
  func notify(isAbstract: Bool) throws {
    let name = "skep-notify-\(getpid())"
    let path = isAbstract ? "@\(name)" : "/tmp/\(name)"
    let socket = try Receiver(path)
    setenv("NOTIFY_SOCKET", path, 1)
    defer { unsetenv("NOTIFY_SOCKET") }
    ServiceManager.tell(.ready)
    ServiceManager.tell(.stopping)
    #expect(socket.receive() == "READY=1")
    #expect(socket.receive() == "STOPPING=1")
  }

  @Test("is not missed where there is none")
  func nobody() {
    setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1)
    ServiceManager.tell(.ready)
    unsetenv("NOTIFY_SOCKET")
    ServiceManager.tell(.ready)
  }

  @Test("reads our output only if device and inode are those of the stream")
  func journal() {
    var status = stat()
    fstat(STDERR_FILENO, &status)
    #expect(ServiceManager.isJournal("\(status.st_dev):\(status.st_ino)", descriptor: STDERR_FILENO))
    #expect(!ServiceManager.isJournal("\(status.st_dev):\(status.st_ino + 1)", descriptor: STDERR_FILENO))
    #expect(!ServiceManager.isJournal("", descriptor: STDERR_FILENO))
  }
}

/// The manager's end of a notification socket.
private final class Receiver {
  private let descriptor: Int32
  private let path: String

  init(_ path: String) throws {
    self.path = path
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let isAbstract = path.hasPrefix("@")
    withUnsafeMutableBytes(of: &address.sun_path) { space in
      for (index, byte) in path.utf8.enumerated() { space[index] = isAbstract && index == 0 ? 0 : byte }
    }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + path.utf8.count + (isAbstract ? 0 : 1))
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
    }
    try #require(bound == 0)
  }

  func receive() -> String {
    var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&watched, 1, 5_000) == 1 else { return "nothing" }
    var bytes = [UInt8](repeating: 0, count: 256)
    return String(decoding: bytes[..<max(0, recv(descriptor, &bytes, bytes.count, 0))], as: UTF8.self)
  }

  deinit {
    close(descriptor)
    unlink(path)
  }
}
