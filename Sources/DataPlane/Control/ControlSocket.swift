// SPDX-License-Identifier: Apache-2.0

import Balancing
import CLinux
import Glibc

/// One end of the control connection. Owns its descriptor; closing it is the owner's last act.
struct ControlSocket {
  enum Received {
    case message(ControlMessage, descriptors: [Int32])
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

  /// The next whole message. Never blocks.
  mutating func receive() throws -> Received {
    while true {
      var count: Int32 = 0
      let size = cl_receive_packet(descriptor, &buffer, buffer.count, &received, &count)
      if size == -Int(EAGAIN) { return .nothing }
      if size == 0 || size == -Int(ECONNRESET) { return .closed }
      guard size > 0 else { throw DataPlaneError.system("receive on the control socket", size) }
      let packet = ControlPacket(bytes: Array(buffer[..<size]), descriptors: Array(received[..<Int(count)]))
      if let (message, descriptors) = try assembler.append(packet) { return .message(message, descriptors: descriptors) }
    }
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
