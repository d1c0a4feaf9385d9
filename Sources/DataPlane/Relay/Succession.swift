// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// What a relay that is replaced still has, told to its successor over a socket that the two have from birth: least connections
/// and drains count it. The old one sends; the end of the socket means that it has none left.
enum Succession {
  /// Where a successor finds the descriptors of its predecessors' sockets, separated by commas. Not an argument: a program that
  /// does not know it would refuse to start.
  static let variable = "SKEP_RELAY_PREDECESSORS"

  /// The sockets of this process's predecessors. They are not for programs that this one starts, except for its own successor.
  static func predecessors() -> [Int32] {
    guard let text = getenv(variable).map({ String(cString: $0) }) else { return [] }
    unsetenv(variable)
    return text.split(separator: ",").compactMap { Int32($0) }.filter { fcntl($0, F_SETFD, FD_CLOEXEC) == 0 }
  }

  /// Leaves the sockets open for the program that is about to take this process's place.
  static func bequeath(_ descriptors: [Int32]) {
    for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, 0) }
    setenv(variable, descriptors.map(String.init).joined(separator: ","), 1)
  }

  /// Two connected sockets, or none: then the successor does not hear of the old connections, and all else goes on.
  static func pair() -> (mine: Int32, successors: Int32)? {
    var both: [Int32] = [-1, -1]
    guard cl_packet_pair(&both) == 0 else { return nil }
    return (both[0], both[1])
  }
}

/// A successor, as the replaced relay knows it.
struct Heir {
  enum Outcome {
    case told
    /// It has not read what it was told before. It need not hear all: the newest word is what counts.
    case later
    case gone
  }

  var socket: ControlSocket
  private var unsent: [ControlPacket] = []

  init(socket: ControlSocket) { self.socket = socket }

  /// Whether it has asked to be told.
  mutating func hasAsked() -> Bool {
    if case .message = try? socket.receive() { true } else { false }
  }

  mutating func tell(_ held: () -> [String: [String: UInt32]]) -> Outcome {
    let isLate = !unsent.isEmpty
    if !isLate { unsent = ControlPacket.packets(for: .held(held())) }
    do {
      while let packet = unsent.first {
        guard try socket.send(packet) else { return .later }
        unsent.removeFirst()
      }
    } catch {
      return .gone
    }
    return isLate ? .later : .told
  }
}

/// A replaced relay, as its successor knows it.
struct Predecessor {
  var socket: ControlSocket
  var held: [String: [String: UInt32]] = [:]
  /// Until then it may have connections that this relay knows nothing of.
  var hasSpoken = false

  /// Asks what it has: one that was replaced before this process began has told another program.
  init(descriptor: Int32) {
    socket = ControlSocket(descriptor: descriptor)
    try? socket.send(.countsRequest(ticket: 0, endpoints: []))
  }

  /// False when it has ended, or says what it should not.
  mutating func listen() -> Bool {
    while true {
      switch try? socket.receive() {
      case .message(.held(let held), []): (self.held, hasSpoken) = (held, true)
      case .nothing: return true
      case .message, .unreadable, .closed, nil: return false
      }
    }
  }
}
