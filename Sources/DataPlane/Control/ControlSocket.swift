// SPDX-License-Identifier: Apache-2.0

import Balancing
import CLinux
import Glibc

/// One end of the control connection. Owns its descriptor; closing it is the owner's last act.
struct ControlSocket {
  enum Received {
    case message(ControlMessage, descriptors: [Int32])
    /// A message that is not understood; its descriptors are closed.
    case unreadable(kind: UInt8, reason: BinaryCodingError)
    /// Nothing more at the moment.
    case nothing
    case closed
  }

  let descriptor: Int32
  private var assembler = ControlAssembler()
  private var buffer = [UInt8](repeating: 0, count: ControlPacket.headerSize + ControlPacket.payloadSize)
  private var received = [Int32](repeating: -1, count: Int(CL_FDS_PER_PACKET))

  init(descriptor: Int32) {
    self.descriptor = descriptor
  }

  static func connect(to path: String) throws(DataPlaneError) -> ControlSocket {
    let descriptor = cl_unix_connect(path)
    guard descriptor >= 0 else { throw .system("connect \(path)", descriptor) }
    return ControlSocket(descriptor: descriptor)
  }

  /// Packets of one message to take at a time, so that one without an end keeps nobody from other work.
  private static let packetsPerCall = 64

  /// The next whole message. Never blocks.
  mutating func receive() throws -> Received {
    for _ in 0..<Self.packetsPerCall {
      var count: Int32 = 0
      let size = cl_receive_packet(descriptor, &buffer, buffer.count, &received, &count)
      if size == -Int(EAGAIN) { return .nothing }
      if size == 0 { return .closed }
      // The peer is gone and left words of ours unread. What it said before is still to come.
      if size == -Int(ECONNRESET) { continue }
      guard size > 0 else { throw DataPlaneError.system("receive on the control socket", size) }
      let packet = ControlPacket(bytes: Array(buffer[..<size]), descriptors: Array(received[..<Int(count)]))
      switch try assembler.append(packet) {
      case .message(let message, let descriptors): return .message(message, descriptors: descriptors)
      case .unreadable(let kind, let reason, let descriptors):
        for descriptor in descriptors { Glibc.close(descriptor) }
        return .unreadable(kind: kind, reason: reason)
      case .excess(let descriptors): for descriptor in descriptors { Glibc.close(descriptor) }
      case nil: break
      }
    }
    return .nothing
  }

  /// False when the socket's buffer is full; a blocking descriptor waits a few seconds first.
  func send(_ packet: ControlPacket) throws(DataPlaneError) -> Bool {
    let descriptors = packet.descriptors
    let size = cl_send_packet(descriptor, packet.bytes, packet.bytes.count, descriptors, Int32(descriptors.count))
    if size == -Int(EAGAIN) { return false }
    guard size >= 0 else { throw .system("send on the control socket", size) }
    return true
  }

  func send(_ message: ControlMessage, descriptors: [Int32] = []) throws(DataPlaneError) {
    for packet in ControlPacket.packets(for: message, descriptors: descriptors) {
      guard try send(packet) else { throw DataPlaneError(.busy, "the control socket's peer does not read") }
    }
  }

  mutating func close() {
    for descriptor in assembler.descriptors { Glibc.close(descriptor) }
    assembler = ControlAssembler()
    Glibc.close(descriptor)
  }
}
