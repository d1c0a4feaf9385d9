// SPDX-License-Identifier: Apache-2.0

/// One message for the kernel (RFC 3549), built front to back: its kind's fixed part, then attributes.
package struct NetlinkMessage: Sendable, Hashable {
  package static let headerSize = 16

  package struct Flags: OptionSet, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let request = Flags(rawValue: 0x1)
    package static let acknowledge = Flags(rawValue: 0x4)
    package static let replace = Flags(rawValue: 0x100)
    package static let exclusive = Flags(rawValue: 0x200)
    package static let create = Flags(rawValue: 0x400)
    package static let append = Flags(rawValue: 0x800)
    package static let dump = Flags(rawValue: 0x300)
  }

  package private(set) var bytes: [UInt8]
  /// For errors.
  package let name: String

  /// `fixed` is what the message's type has before its attributes.
  package init(_ type: UInt16, _ flags: Flags, name: String, fixed: (inout NetlinkWriter) -> Void) {
    var writer = NetlinkWriter()
    writer.write(UInt32(0))
    writer.write(type)
    writer.write(flags.union(.request).rawValue)
    // Sequence number and port: the socket's.
    writer.write(UInt64(0))
    fixed(&writer)
    writer.pad()
    bytes = writer.bytes
    self.name = name
    setLength()
  }

  package mutating func add(_ type: UInt16, _ value: [UInt8]) {
    append(type, value)
    setLength()
  }

  package mutating func add(_ type: UInt16, _ value: some FixedWidthInteger) {
    var writer = NetlinkWriter()
    writer.write(value)
    add(type, writer.bytes)
  }

  /// Ends with a zero, as the kernel's names do.
  package mutating func add(_ type: UInt16, _ text: String) { add(type, Array(text.utf8) + [0]) }

  /// Attributes within an attribute.
  package mutating func add(_ type: UInt16, nested body: (inout NetlinkMessage) -> Void) {
    let begin = bytes.count
    bytes += [0, 0, 0, 0]
    body(&self)
    let length = UInt16(truncatingIfNeeded: bytes.count - begin)
    bytes.replaceSubrange(begin..<begin + 4, with: NetlinkWriter.bytes(of: length) + NetlinkWriter.bytes(of: type))
    setLength()
  }

  mutating func setSequence(_ number: UInt32) { bytes.replaceSubrange(8..<12, with: NetlinkWriter.bytes(of: number)) }

  private mutating func append(_ type: UInt16, _ value: [UInt8]) {
    var writer = NetlinkWriter()
    writer.write(UInt16(truncatingIfNeeded: value.count + 4))
    writer.write(type)
    writer.bytes += value
    writer.pad()
    bytes += writer.bytes
  }

  private mutating func setLength() {
    bytes.replaceSubrange(0..<4, with: NetlinkWriter.bytes(of: UInt32(truncatingIfNeeded: bytes.count)))
  }
}

/// Numbers in the machine's own order, as netlink has them.
package struct NetlinkWriter: Sendable {
  package var bytes: [UInt8] = []

  package mutating func write(_ value: some FixedWidthInteger) { bytes += Self.bytes(of: value) }

  mutating func pad() { while bytes.count % 4 != 0 { bytes.append(0) } }

  static func bytes(of value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
}
