// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import DataPlane

@Suite("Which sockets of a container count as open connections")
struct TCPSocketTests {
  static func mapped(_ bits: UInt64) -> TCPSocket.Address { .init(high: 0, low: 0xffff_0000_0000 | bits) }
  static let task = mapped(0x0a00_0002)
  static let client = mapped(0xc0a8_0105)
  static let ipv6 = TCPSocket.Address(high: 0xfd00 << 48, low: 5)

  @Test(
    "by state, file and what is unacknowledged",
    arguments: [
      (TCPSocket.State.established, true, UInt32(0), true),
      (.established, false, 0, true),
      (.synReceived, false, 0, true),
      (.closeWait, true, 0, true),
      (.closeWait, false, 0, true),
      (.finWait1, true, 1, true),
      (.finWait1, false, 1, false),
      (.finWait1, false, 2, true),
      (.finWait2, true, 0, true),
      (.finWait2, false, 0, false),
      (.closing, false, 1, false),
      (.closing, false, 2, true),
      (.lastAck, false, 1, false),
      (.lastAck, false, 900, true),
    ])
  func states(_ state: TCPSocket.State, belongsToFile: Bool, unacknowledged: UInt32, isOpen: Bool) {
    for peer in [Self.client, Self.ipv6] {
      let socket = TCPSocket(
        state: state, local: Self.task, peer: peer, belongsToFile: belongsToFile, unacknowledged: unacknowledged)
      #expect(socket.isOpen == isOpen)
    }
  }

  @Test(
    "but none of the container with itself",
    arguments: [
      (mapped(0x7f00_0001), mapped(0x7f00_0001)), (mapped(0x7f00_0001), mapped(0x7fff_fffe)), (task, task), (ipv6, ipv6),
      (.init(high: 0, low: 1), .init(high: 0, low: 1)),
    ])
  func itself(_ local: TCPSocket.Address, _ peer: TCPSocket.Address) {
    #expect(!TCPSocket(state: .established, local: local, peer: peer, belongsToFile: true, unacknowledged: 0).isOpen)
  }

  @Test("and those near loopback's addresses are not loopback", arguments: [0x7e00_0001, 0x8000_0001] as [UInt64])
  func outside(_ bits: UInt64) {
    let socket = TCPSocket(
      state: .established, local: Self.task, peer: Self.mapped(bits), belongsToFile: true, unacknowledged: 0)
    #expect(socket.isOpen)
    #expect(!TCPSocket.Address(high: 1, low: 1).isLoopback)
  }
}
