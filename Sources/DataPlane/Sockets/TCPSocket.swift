// SPDX-License-Identifier: Apache-2.0

import CLinux

/// A socket of a container, as the kernel tells of it.
struct TCPSocket: Hashable, Sendable {
  /// The kernel's numbers.
  enum State: UInt8, Sendable {
    case established = 1
    case synReceived = 3
    case finWait1 = 4
    case finWait2 = 5
    case closeWait = 8
    case lastAck = 9
    case closing = 11
  }

  /// 16 bytes; IPv4 is mapped.
  struct Address: Hashable, Sendable {
    var high: UInt64
    var low: UInt64

    var isLoopback: Bool {
      if high == 0, low >> 32 == 0xffff { return low >> 24 & 0xff == 127 }
      return high == 0 && low == 1
    }
  }

  var state: State
  var local: Address
  var peer: Address
  /// False before the program has accepted it, and after it has closed it.
  var belongsToFile: Bool
  /// Sequence numbers that the peer has not acknowledged: bytes, and one for an end that was sent.
  var unacknowledged: UInt32

  /// Whether stopping the container would cut somebody off: a peer outside it from whom something may still come, or for whom
  /// something is under way.
  var isOpen: Bool {
    // A health check, or the program's talk with itself.
    if peer.isLoopback || peer == local { return false }
    return switch state {
    case .established, .synReceived: true
    // The peer has said all; the program may still be answering, even if it has yet to accept.
    case .closeWait: true
    case .finWait1: belongsToFile || hasUnacknowledgedBytes
    case .finWait2: belongsToFile
    case .closing, .lastAck: hasUnacknowledgedBytes
    }
  }

  // In these states the end was sent, and takes a number of its own.
  private var hasUnacknowledgedBytes: Bool { unacknowledged > 1 }
}

extension TCPSocket {
  /// `nil` for a state that is of no interest.
  init?(_ found: cl_tcp_socket) {
    guard let state = State(rawValue: found.state) else { return nil }
    self.init(
      state: state, local: Address(high: found.local_high, low: found.local_low),
      peer: Address(high: found.peer_high, low: found.peer_low), belongsToFile: found.inode != 0,
      unacknowledged: found.unacknowledged)
  }
}
