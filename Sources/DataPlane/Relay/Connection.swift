// SPDX-License-Identifier: Apache-2.0

import Balancing

/// A client's connection and the one made for it. A plain value without references: events touch no reference count.
struct Connection {
  enum Phase: UInt8 {
    case free
    /// Waits for an endpoint to accept. Nothing has been read from the client yet, so another endpoint can be tried.
    case connecting
    case open
  }

  var phase = Phase.connecting
  /// Never 0, and another one each time the entry is used.
  var generation: UInt32
  /// How many endpoints have failed it.
  var attempts: UInt16 = 0
  /// Index of the listener's traffic.
  var listener: Int32 = -1
  var endpoint: EndpointHandle?
  var client = ClientAddress(high: 0, low: 0)
  /// Neighbours in the queue of connecting ones, which is in order of their deadlines; `next` also links free entries.
  var previous: Int32 = -1
  var next: Int32 = -1
  var deadline: UInt64 = 0
  var bytesIn: UInt64 = 0
  var bytesOut: UInt64 = 0
  /// What it had carried when that was last seen to have grown, and when that was; see `Reactor+Sweep`.
  var seenBytes: UInt64 = 0
  var seenAt: UInt64 = 0
  /// Both sides are asked now and then whether they are there.
  var isProbed = false

  init(generation: UInt32) {
    self.generation = generation
  }
}

/// One of a connection's two sockets, with the bytes that wait to be written to it.
struct Side {
  struct Flags: OptionSet {
    let rawValue: UInt16

    /// There may be something to read. Events are edge-triggered: they tell once.
    static let readable = Flags(rawValue: 1)
    /// A short read does not mean that all was read: the end, an error or an urgent mark may follow without another event.
    static let readToEnd = Flags(rawValue: 2)
    /// The end has arrived and nothing else is special: a short read was the last one.
    static let endFollows = Flags(rawValue: 4)
    /// The end was read.
    static let ended = Flags(rawValue: 8)
    /// The other side's end was passed on.
    static let shut = Flags(rawValue: 16)
    /// Epoll tells when it becomes writable.
    static let tellsWritable = Flags(rawValue: 32)
    /// A write failed; what it still has to say is passed on, then both sides are reset.
    static let broken = Flags(rawValue: 64)
    /// It has much to say: bytes go through the pipe.
    static let streams = Flags(rawValue: 128)
    /// Was written to.
    static let written = Flags(rawValue: 256)
    /// Its socket sends at once what it is given.
    static let prompt = Flags(rawValue: 512)
  }

  var descriptor: Int32 = -1
  var flags: Flags = []
  var pending: Block?
  var pendingStart: Int32 = 0
  var pendingEnd: Int32 = 0
}

/// What an epoll event is about. The upper half of a connection's token is its generation, which is never 0.
struct Token {
  enum Kind: UInt64 {
    case inbox = 1
    case listener, session
  }

  static func side(_ side: Int, generation: UInt32) -> UInt64 { UInt64(generation) << 32 | UInt64(side) }
  static func special(_ kind: Kind, _ index: Int = 0) -> UInt64 { kind.rawValue << 28 | UInt64(index & 0xfff_ffff) }

  static func special(_ token: UInt64) -> (kind: Kind?, index: Int) {
    (Kind(rawValue: token >> 28), Int(token & 0xfff_ffff))
  }
}
