// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Asks the kernel about one network namespace. Requests are answered within microseconds, so it blocks.
///
/// Not for several threads at a time: whoever has it serialises its use.
package final class NetlinkSocket {
  package enum Family: Int32, Sendable {
    /// Links, addresses, routes, neighbours, policy rules.
    case route = 0
    /// Sockets (`sock_diag`).
    case sockets = 4
    /// The packet filter and connection tracking.
    case netfilter = 12
  }

  private let descriptor: Int32
  private var sequence: UInt32 = 0

  /// `network` is a descriptor of a namespace, which is needed only here; `nil` is the calling thread's.
  package init(_ family: Family, network: Int32? = nil) throws(NetlinkError) {
    descriptor = cl_netlink_open(network ?? -1, family.rawValue)
    guard descriptor >= 0 else { throw NetlinkError(-descriptor, "opening a netlink socket") }
    // For what the kernel has to load first; an answer is never waited for longer.
    var patience = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Does what the message asks for.
  package func perform(_ message: NetlinkMessage) throws(NetlinkError) {
    _ = try exchange(message) { _ in }
  }

  /// All messages of the answer.
  package func ask(_ message: NetlinkMessage) throws(NetlinkError) -> [NetlinkReply] {
    var replies: [NetlinkReply] = []
    try exchange(message) { replies.append($0) }
    return replies
  }

  private static let failure: UInt16 = 2
  private static let done: UInt16 = 3

  private func exchange(_ message: NetlinkMessage, _ take: (NetlinkReply) -> Void) throws(NetlinkError) {
    sequence &+= 1
    var message = message
    message.setSequence(sequence)
    let sent = message.bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, 0) }
    guard sent == message.bytes.count else { throw NetlinkError(errno, message.name) }
    while true {
      for (number, reply) in try receive(message.name) where number == sequence {
        switch reply.type {
        case Self.failure, Self.done:
          let code: Int32 = reply.number(at: 0)
          if code < 0 { throw NetlinkError(-code, message.name) }
          return
        default: take(reply)
        }
      }
    }
  }

  private func receive(_ name: String) throws(NetlinkError) -> [(UInt32, NetlinkReply)] {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var count = -1
    repeat {
      count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
    } while count < 0 && errno == EINTR
    guard count > 0 else { throw NetlinkError(count == 0 ? EPIPE : errno, name) }
    var found: [(UInt32, NetlinkReply)] = []
    var rest = buffer[..<count]
    while rest.count >= NetlinkMessage.headerSize {
      let length = Int(NetlinkReply.number(rest, at: 0) as UInt32)
      guard length >= NetlinkMessage.headerSize, length <= rest.count else { break }
      let body = Array(rest.prefix(length).dropFirst(NetlinkMessage.headerSize))
      found.append((NetlinkReply.number(rest, at: 8), NetlinkReply(type: NetlinkReply.number(rest, at: 4), body: body)))
      rest = rest.dropFirst((length + 3) & ~3)
    }
    return found
  }
}
