// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

// All memory that Swift does not manage is in this file. The tables and buffers below have one owner, the reactor, and are
// touched on its thread only. Nothing outside this file sees a pointer.

/// The connections and their two sides, in place for as long as the process lives: an index is checked against
/// `generation` before it is used, so an event that was under way when its connection ended finds nothing.
struct ConnectionTable: ~Copyable {
  let capacity: Int
  private(set) var count = 0
  private let connections: UnsafeMutablePointer<Connection>
  private let sides: UnsafeMutablePointer<Side>
  private var firstFree: Int32 = -1
  // Entries from here on have never been used, and their pages cost nothing yet.
  private var untouched = 0

  /// Address space for `capacity` connections; memory is taken as they come, lowest index first.
  init(capacity: Int) throws(DataPlaneError) {
    guard let connections = cl_reserve(capacity * MemoryLayout<Connection>.stride),
      let sides = cl_reserve(capacity * 2 * MemoryLayout<Side>.stride)
    else { throw DataPlaneError(.system, "reserve memory for \(capacity) connections", errno: ENOMEM) }
    self.capacity = capacity
    self.connections = connections.bindMemory(to: Connection.self, capacity: capacity)
    self.sides = sides.bindMemory(to: Side.self, capacity: capacity * 2)
  }

  deinit {
    munmap(connections, capacity * MemoryLayout<Connection>.stride)
    munmap(sides, capacity * 2 * MemoryLayout<Side>.stride)
  }

  var indices: Range<Int> { 0..<untouched }

  /// Side 2n is connection n's client, side 2n + 1 its endpoint; the other side of one is `side ^ 1`.
  subscript(side index: Int) -> Side {
    @inline(__always) _read { yield sides[index] }
    @inline(__always) nonmutating _modify { yield &sides[index] }
  }

  subscript(index: Int) -> Connection {
    @inline(__always) _read { yield connections[index] }
    @inline(__always) nonmutating _modify { yield &connections[index] }
  }

  /// `nil` when the table is full.
  mutating func allocate() -> Int? {
    let index: Int
    if firstFree >= 0 {
      index = Int(firstFree)
      firstFree = connections[index].next
      let generation = connections[index].generation
      connections[index] = Connection(generation: generation &+ 1 == 0 ? 1 : generation &+ 1)
    } else {
      guard untouched < capacity else { return nil }
      index = untouched
      untouched += 1
      connections.advanced(by: index).initialize(to: Connection(generation: 1))
    }
    sides.advanced(by: 2 * index).initialize(to: Side())
    sides.advanced(by: 2 * index + 1).initialize(to: Side())
    count += 1
    return index
  }

  /// The entry's buffers and descriptors have been given back before.
  mutating func release(_ index: Int) {
    connections[index].phase = .free
    connections[index].next = firstFree
    firstFree = Int32(index)
    count -= 1
  }

  @inline(__always)
  func isCurrent(side: Int, generation: UInt32) -> Bool {
    side >> 1 < untouched && connections[side >> 1].generation == generation && connections[side >> 1].phase != .free
  }
}

/// A buffer of `size` bytes, from the pool and back to it.
struct Block {
  static let size = 64 * 1024

  fileprivate let memory: UnsafeMutableRawPointer

  /// As read(2): bytes read, 0 at the end, or a negative errno.
  @inline(__always)
  func fill(from descriptor: Int32) -> Int {
    cl_read(descriptor, memory, Self.size)
  }

  /// `count` bytes that are in the pipe, or a negative errno.
  func fill(_ count: Int, fromPipe descriptor: Int32) -> Int { cl_pipe_read(descriptor, memory, min(count, Self.size)) }

  /// As `fill`, for a socket that any client may send to.
  @inline(__always)
  func fill(from descriptor: Int32, telling flow: inout cl_flow) -> Int {
    cl_receive_from(descriptor, memory, Self.size, &flow)
  }

  @inline(__always)
  func drain(_ count: Int, to descriptor: Int32, along flow: cl_flow) -> Int {
    withUnsafePointer(to: flow) { cl_send_to(descriptor, memory, count, $0) }
  }

  /// As write(2), or a negative errno. The range lies within what `fill` returned.
  @inline(__always)
  func drain(_ range: Range<Int>, to descriptor: Int32) -> Int {
    cl_write(descriptor, memory + range.lowerBound, range.count)
  }
}

/// Buffers exist only while bytes wait in them, so an idle connection holds none.
struct BlockPool: ~Copyable {
  // 2 MiB: enough for a few slow peers to come and go without the allocator; the rest is given back.
  private static let keep = 32

  private var idle: [Block] = []
  private(set) var inUse = 0

  mutating func take() -> Block {
    inUse += 1
    return idle.popLast() ?? Block(memory: .allocate(byteCount: Block.size, alignment: 64))
  }

  mutating func giveBack(_ block: Block) {
    inUse -= 1
    if idle.count < Self.keep { idle.append(block) } else { block.memory.deallocate() }
  }

  deinit {
    for block in idle { block.memory.deallocate() }
  }
}

/// Where epoll puts its events.
struct EventBuffer: ~Copyable {
  static let capacity = 512

  private let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)

  deinit { events.deallocate() }

  func wait(_ epoll: Int32, milliseconds: Int32) -> Int {
    Int(cl_epoll_wait(epoll, events, Int32(Self.capacity), milliseconds))
  }

  @inline(__always)
  subscript(index: Int) -> (token: UInt64, flags: UInt32) { (events[index].data.u64, events[index].events) }
}
