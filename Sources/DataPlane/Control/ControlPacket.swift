// SPDX-License-Identifier: Apache-2.0

import Balancing
import CLinux

/// A message that is too large for one packet travels in several: version, kind, "more follows", then a part of the payload.
struct ControlPacket: Hashable, Sendable {
  /// Of the framing, not of the messages: it stays, or two versions could not even say hello.
  static let version: UInt8 = 1
  static let headerSize = 3
  /// A quarter of the usual socket buffer, so that a few packets are always under way.
  static let payloadSize = 48 * 1024

  let bytes: [UInt8]
  let descriptors: [Int32]

  static func packets(for message: ControlMessage, descriptors: [Int32] = []) -> [ControlPacket] {
    let payload = message.encodedPayload()
    let perPacket = Int(CL_FDS_PER_PACKET)
    let count = max(1, payload.count.dividedUp(by: payloadSize), descriptors.count.dividedUp(by: perPacket))
    return (0..<count).map { index in
      let part = payload.dropFirst(index * payloadSize).prefix(payloadSize)
      let more: UInt8 = index + 1 < count ? 1 : 0
      return ControlPacket(
        bytes: [version, message.kind, more] + part,
        descriptors: Array(descriptors.dropFirst(index * perPacket).prefix(perPacket)))
    }
  }
}

extension Int {
  fileprivate func dividedUp(by divisor: Int) -> Int { (self + divisor - 1) / divisor }
}

/// Puts packets together again. Holds at most 64 MiB and 65,536 descriptors; more is an error, and the peer is left.
struct ControlAssembler: Sendable {
  static let sizeLimit = 64 << 20
  static let descriptorLimit = 65_536

  private var kind: UInt8?
  private var payload: [UInt8] = []
  /// Descriptors received for the message under way; whoever gives up on the peer closes them.
  private(set) var descriptors: [Int32] = []

  /// The message and its descriptors, once its last packet is here. The descriptors are the caller's, thrown or not.
  mutating func append(_ packet: ControlPacket) throws(BinaryCodingError) -> (message: ControlMessage, descriptors: [Int32])? {
    descriptors += packet.descriptors
    guard packet.bytes.count >= ControlPacket.headerSize else { throw BinaryCodingError(.truncated, "packet without header") }
    guard packet.bytes[0] == ControlPacket.version else {
      throw BinaryCodingError(.unsupportedVersion, "packet version \(packet.bytes[0])")
    }
    guard kind == nil || kind == packet.bytes[1] else { throw BinaryCodingError(.invalidValue, "message inside a message") }
    kind = packet.bytes[1]
    payload += packet.bytes[3...]
    guard payload.count <= Self.sizeLimit, descriptors.count <= Self.descriptorLimit else {
      throw BinaryCodingError(.tooLarge, "message of more than \(Self.sizeLimit) bytes or \(Self.descriptorLimit) descriptors")
    }
    return packet.bytes[2] == 0 ? try finish(packet.bytes[1]) : nil
  }

  private mutating func finish(_ kind: UInt8) throws(BinaryCodingError) -> (message: ControlMessage, descriptors: [Int32]) {
    let message = try ControlMessage(kind: kind, payload: payload)
    defer { self = ControlAssembler() }
    return (message, descriptors)
  }
}
