// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// The relay's end of the control socket: one peer at a time, the newest wins. Never blocks the reactor.
final class ControlServer {
  // A peer that lets this many packets wait has stopped reading; it is left, and finds everything again when it reconnects.
  private static let queueLimit = 4096

  let path: String
  private(set) var listener: Int32
  private(set) var peer: ControlSocket?
  private var lock: Int32
  private var file: FileIdentity?
  private var queue: [ControlPacket] = []
  private var sent = 0

  init(path: String) throws(DataPlaneError) {
    self.path = path
    lock = try Self.lock(path + ".lock")
    listener = cl_unix_listen(path)
    guard listener >= 0 else {
      Glibc.close(lock)
      throw .system("listen on \(path)", listener)
    }
    file = FileIdentity(path)
  }

  enum Presence {
    case ours, missing
    /// Somebody else listens there.
    case replaced
  }

  var presence: Presence {
    guard let found = FileIdentity(path) else { return .missing }
    return found == file ? .ours : .replaced
  }

  /// Listens at the path anew after somebody's clean-up removed the file, or the whole directory: without it no skepd that starts
  /// later could find this relay. The peer stays.
  func reopen() throws(DataPlaneError) {
    mkdir(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]), 0o755)
    if FileIdentity(path + ".lock") != FileIdentity(descriptor: lock) {
      let new = cl_lock(path + ".lock")
      guard new >= 0 else { throw .system("lock \(path)", new) }
      Glibc.close(lock)
      lock = new
    }
    let new = cl_unix_listen(path)
    guard new >= 0 else { throw .system("listen on \(path)", new) }
    Glibc.close(listener)
    (listener, file) = (new, FileIdentity(path))
  }

  /// The next peer that may speak to us, already in the place of the one before; `nil` when none waits.
  func acceptPeer() -> Int32? {
    while true {
      let descriptor = cl_accept_control(listener)
      guard descriptor >= 0 else { return nil }
      var user: UInt32 = .max
      var process: Int32 = 0
      if cl_peer(descriptor, &user, &process) == 0, user == 0 || user == geteuid() {
        if peer != nil { send(.superseded) }
        closePeer()
        peer = ControlSocket(descriptor: descriptor)
        return descriptor
      }
      Glibc.close(descriptor)
    }
  }

  func receive() -> ControlSocket.Received {
    do {
      return try peer?.receive() ?? .nothing
    } catch {
      return .closed
    }
  }

  /// False when the peer had to be left.
  @discardableResult
  func send(_ message: ControlMessage, descriptors: [Int32] = []) -> Bool {
    guard peer != nil else { return false }
    queue += ControlPacket.packets(for: message, descriptors: descriptors)
    return flush() && queue.count - sent <= Self.queueLimit
  }

  var hasQueued: Bool { sent < queue.count }

  func flush() -> Bool {
    guard let peer else { return false }
    do {
      while sent < queue.count {
        guard try peer.send(queue[sent]) else { return true }
        sent += 1
      }
    } catch {
      return false
    }
    queue.removeAll()
    sent = 0
    return true
  }

  func closePeer() {
    peer?.close()
    peer = nil
    queue.removeAll()
    sent = 0
  }

  /// The peer is told last, so that it finds the path free for a successor.
  deinit {
    if presence == .ours { unlink(path) }
    if FileIdentity(path + ".lock") == FileIdentity(descriptor: lock) { unlink(path + ".lock") }
    Glibc.close(listener)
    Glibc.close(lock)
    peer?.close()
  }

  // Two relays at one path would each unlink the other's socket. A killed one's lock is free a moment after its end is seen.
  private static func lock(_ path: String) throws(DataPlaneError) -> Int32 {
    for _ in 0..<200 {
      let lock = cl_lock(path)
      if lock >= 0 { return lock }
      guard lock == -EWOULDBLOCK else { throw .system("lock \(path)", lock) }
      usleep(5000)
    }
    throw DataPlaneError(.superseded, "another relay holds \(path)")
  }
}
