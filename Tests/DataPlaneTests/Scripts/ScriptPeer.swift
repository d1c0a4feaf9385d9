// SPDX-License-Identifier: Apache-2.0

import CLinux
import ClusterModel
import Glibc

@testable import Balancing
@testable import DataPlane

/// One side's socket in a script. It never blocks for longer than a script's patience.
final class ScriptPeer {
  let descriptor: Int32
  let isStream: Bool
  private var isClosed = false
  private var hasSeenEnd = false

  /// A first datagram that another socket received.
  private var early: [UInt8]?

  init(descriptor: Int32, isStream: Bool = true, early: [UInt8]? = nil) {
    self.descriptor = descriptor
    self.isStream = isStream
    self.early = early
  }

  /// A client of a port on loopback.
  convenience init(to port: ListenerPort, from address: String) throws {
    let kind = port.transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
    self.init(descriptor: socket(AF_INET, Int32(kind.rawValue) | O_CLOEXEC, 0), isStream: port.transport == .tcp)
    guard let own = IPv4Address(address) else { throw Mismatch("\(address) is no address") }
    try Self.bind(descriptor, own.bits)
    try Self.connect(descriptor, 0x7f00_0001, port.number)
  }

  static func bind(_ descriptor: Int32, _ address: UInt32, port: UInt16 = 0) throws {
    try withAddress(address, port) { guard Glibc.bind(descriptor, $0, $1) == 0 else { throw Mismatch("bind: errno \(errno)") } }
  }

  static func connect(_ descriptor: Int32, _ address: UInt32, _ port: UInt16) throws {
    try withAddress(address, port) {
      guard Glibc.connect(descriptor, $0, $1) == 0 else {
        let number = errno
        Glibc.close(descriptor)
        throw Mismatch("connect: errno \(number)")
      }
    }
  }

  private static func withAddress(_ bits: UInt32, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Void)
    throws
  {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = bits.bigEndian
    try withUnsafePointer(to: &address) {
      try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { try body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }

  func act(_ act: Act) throws {
    switch act {
    case .sends(let text): try send(text.bytes)
    case .sendsUrgent(let byte): try check(Glibc.send(descriptor, [byte], 1, Int32(MSG_OOB)), "send")
    case .finishes: try check(Int(shutdown(descriptor, Int32(SHUT_WR))), "half-close")
    case .resets:
      isClosed = true
      cl_reset(descriptor)
    case .closes: close()
    case .sees(let text): try see(text)
    case .seesEnd: try seeEnd()
    case .seesReset: try seeReset()
    case .seesNothing(let duration):
      if wait(for: POLLIN, duration) { throw Mismatch(unread ?? "an end or an error") }
    case .connects, .isRefused, .sendsUntilStalled, .seesWhatStalled: throw Mismatch("not an act of a peer alone")
    }
  }

  func close() {
    if !isClosed { Glibc.close(descriptor) }
    isClosed = true
  }

  /// What is there to read, if anything is; an end is nothing.
  var unread: String? {
    if isClosed { return nil }
    if let early { return String(decoding: early, as: UTF8.self) }
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT | MSG_PEEK))
    return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
  }

  func wait(for events: Int32, _ duration: Duration) -> Bool {
    var watched = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    return poll(&watched, 1, duration.milliseconds) > 0
  }

  private func check(_ result: Int, _ what: String) throws {
    guard result >= 0 else { throw Mismatch("\(what): errno \(errno)") }
  }

  /// How many bytes went; 0 when none can at the moment.
  func sendSome(_ bytes: ArraySlice<UInt8>) throws -> Int {
    let part = Array(bytes)
    let count = Glibc.send(descriptor, part, part.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
    if count < 0, errno == EAGAIN { return 0 }
    try check(count, "send")
    return count
  }

  /// `nil` when nothing is there at the moment, empty at the end.
  func receiveSome(_ limit: Int) throws -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = recv(descriptor, &bytes, limit, Int32(MSG_DONTWAIT))
    if count < 0, errno == EAGAIN { return nil }
    try check(count, "receive")
    return Array(bytes[..<count])
  }

  private func send(_ bytes: [UInt8]) throws {
    if bytes.isEmpty || !isStream { return try check(Glibc.send(descriptor, bytes, bytes.count, 0), "send") }
    var rest = bytes[...]
    while !rest.isEmpty {
      guard wait(for: POLLOUT, Stage.patience) else { throw Mismatch("\(rest.count) bytes are not taken") }
      rest = rest.dropFirst(try sendSome(rest))
    }
  }

  func see(_ text: Text) throws {
    let wanted = text.bytes
    if let first = early {
      early = nil
      guard first == wanted else { throw Mismatch("saw \(Self.show(first))") }
      return
    }
    var seen: [UInt8] = []
    while seen.count < wanted.count || wanted.isEmpty {
      guard wait(for: POLLIN, Stage.patience) else { throw Mismatch("saw nothing more after \(Self.show(seen))") }
      guard let part = try receiveSome(isStream ? wanted.count - seen.count : 70_000) else { continue }
      if part.isEmpty, !wanted.isEmpty || isStream { throw Mismatch("saw the end after \(Self.show(seen))") }
      seen += part
      if !isStream { break }
    }
    guard seen.isSame(as: wanted[...]) else { throw Mismatch("saw \(Self.show(seen))") }
  }

  private static func show(_ bytes: [UInt8]) -> String {
    bytes.count < 100 ? "\"\(String(decoding: bytes, as: UTF8.self))\"" : "\(bytes.count) bytes"
  }

  private func seeEnd() throws {
    guard wait(for: POLLIN, Stage.patience) else { throw Mismatch("saw no end") }
    let rest = try receiveSome(65_536)
    guard rest == [] else { throw Mismatch("saw \(Self.show(rest ?? []))") }
    hasSeenEnd = true
  }

  /// After an end it no longer shows by reading.
  private func seeReset() throws {
    let deadline = ContinuousClock.now + Stage.patience
    var watched = pollfd(fd: descriptor, events: 0, revents: 0)
    while Int32(watched.revents) & POLLERR == 0 {
      guard ContinuousClock.now < deadline else { throw Mismatch(unread.map { "saw \"\($0)\" and no reset" } ?? "saw no reset") }
      if poll(&watched, 1, 1_000) > 0, Int32(watched.revents) & POLLERR == 0 { usleep(500) }
    }
    // Taken first: reading would take it where nothing else is left.
    var number: Int32 = 0
    var size = socklen_t(4)
    getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size)
    guard number == ECONNRESET || hasSeenEnd && number == EPIPE else { throw Mismatch("errno \(number)") }
    if let unread { throw Mismatch("saw \"\(unread)\" before it") }
  }

  /// What it took to fill every buffer on the way to `other`, who reads nothing.
  func sendUntilStalled(_ limit: Int, other: ScriptPeer) throws -> Text {
    let bytes = Text.pattern(limit, seed: UInt64(descriptor)).bytes
    var sent = 0
    // Stalled is who can send nothing for this long: the relay, once it is full, reads no more.
    while sent < limit, wait(for: POLLOUT, .milliseconds(150)) { sent += try sendSome(bytes[sent...].prefix(65_536)) }
    guard sent < limit else { throw Mismatch("\(limit) bytes were taken, and \(other.descriptor) read none") }
    return .pattern(sent, seed: UInt64(descriptor))
  }
}

extension Duration {
  /// As poll(2) has it.
  var milliseconds: Int32 { Int32(components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000) }
}
