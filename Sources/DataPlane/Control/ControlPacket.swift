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

/// Puts packets together again. Holds at most 64 MiB and 65,536 descriptors of one message; of a larger one, nothing.
struct ControlAssembler: Sendable {
  static let sizeLimit = 64 << 20
  static let descriptorLimit = 65_536

  enum Result: Sendable {
    case message(ControlMessage, descriptors: [Int32])
    /// A whole message that could not be read.
    case unreadable(kind: UInt8, reason: BinaryCodingError, descriptors: [Int32])
    /// A part of a message that is too large, with what is of no use to anybody.
    case excess(descriptors: [Int32])
  }

  private var kind: UInt8?
  private var payload: [UInt8] = []
  private var isTooLarge = false
  /// Descriptors received for the message under way; whoever gives up on the peer closes them.
  private(set) var descriptors: [Int32] = []

  /// What came of the packet, `nil` while its message is incomplete. The descriptors are the caller's. Throws when packets do not fit
  /// together: then nothing that follows means anything.
  mutating func append(_ packet: ControlPacket) throws(BinaryCodingError) -> Result? {
    descriptors += packet.descriptors
    guard packet.bytes.count >= ControlPacket.headerSize else { throw BinaryCodingError(.truncated, "packet without header") }
    guard packet.bytes[0] == ControlPacket.version else {
      throw BinaryCodingError(.unsupportedVersion, "packet version \(packet.bytes[0])")
    }
    let next = packet.bytes[1]
    guard kind == nil || kind == next else { throw BinaryCodingError(.invalidValue, "message inside a message") }
    kind = next
    if !isTooLarge { payload += packet.bytes[ControlPacket.headerSize...] }
    isTooLarge = isTooLarge || payload.count > Self.sizeLimit || descriptors.count > Self.descriptorLimit
    if packet.bytes[2] == 0 { return finish(next) }
    guard isTooLarge else { return nil }
    defer { (payload, descriptors) = ([], []) }
    return .excess(descriptors: descriptors)
  }

  private mutating func finish(_ kind: UInt8) -> Result {
    defer { self = ControlAssembler() }
    if isTooLarge {
      let limit = "\(Self.sizeLimit) bytes or \(Self.descriptorLimit) descriptors"
      return .unreadable(kind: kind, reason: BinaryCodingError(.tooLarge, "more than \(limit)"), descriptors: descriptors)
    }
    do {
      return .message(try ControlMessage(kind: kind, payload: payload), descriptors: descriptors)
    } catch {
      return .unreadable(kind: kind, reason: error, descriptors: descriptors)
    }
  }
}
