// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

// Moving bytes. An event costs a read and a write; nothing here allocates unless a peer is slow.
extension Reactor {
  /// Reads of one side per turn, so that a fast sender does not keep the others waiting.
  private static var readsPerTurn: Int { 4 }

  mutating func connectionEvent(_ token: UInt64, _ flags: UInt32) {
    let side = Int(token & 0xffff_ffff)
    guard table.isCurrent(side: side, generation: UInt32(token >> 32)) else { return }
    if table[side >> 1].phase == .connecting { return connectEvent(side >> 1, flags) }
    note(flags, on: side)
    if flags & CL_ERROR != 0, table[side: side].flags.contains(.ended) { return end(side >> 1, reset: true) }
    if flags & CL_OUT != 0, table[side: side].pending != nil, !flush(to: side) { return }
    if table[side: side].flags.contains(.readable) { forward(from: side) }
  }

  private func note(_ flags: UInt32, on side: Int) {
    let unusual = CL_READ_HANGUP | CL_URGENT | CL_HANGUP | CL_ERROR
    if flags & unusual & ~CL_HANGUP == CL_READ_HANGUP, !table[side: side].flags.contains(.readToEnd) {
      table[side: side].flags.insert(.endFollows)
    }
    if flags & unusual != 0 { table[side: side].flags.formUnion([.readable, .readToEnd]) }
    if flags & CL_READ != 0 { table[side: side].flags.insert(.readable) }
  }

  /// The endpoint has accepted. What the client said meanwhile is usually here already, so it is read before it is asked for.
  mutating func open(_ index: Int, _ flags: UInt32) {
    let (client, endpoint) = (2 * index, 2 * index + 1)
    let generation = table[index].generation
    table[side: client].flags.insert(.readable)
    forward(from: client)
    guard table.isCurrent(side: client, generation: generation) else { return }
    let token = Token.side(client, generation: generation)
    let events = table[side: client].flags.contains(.tellsWritable) ? CL_IN | CL_OUT | CL_EDGE : CL_IN | CL_EDGE
    guard cl_epoll_add(epoll, table[side: client].descriptor, events, token) == 0 else { return end(index, reset: true) }
    note(flags, on: endpoint)
    if table[side: endpoint].flags.contains(.readable) { forward(from: endpoint) }
  }

  /// Moves what `side` has to say, until it has no more, the other side is full, or its share of the turn is used up.
  mutating func forward(from side: Int) {
    let other = side ^ 1
    var reads = Self.readsPerTurn
    while table[side: side].flags.contains(.readable), table[side: other].pending == nil {
      if reads == 0 { return again.append(Token.side(side, generation: table[side >> 1].generation)) }
      reads -= 1
      if table[side: side].flags.contains(.streams) {
        switch stream(from: side) {
        case .moved: continue
        case .ended: return
        case .unmoved: break
        }
      }
      let count = scratch.fill(from: table[side: side].descriptor)
      if count > 0 {
        noteSize(count, from: side)
        tally(count, from: side)
        if !write(count, to: other) { return }
        if count < Block.size, table[side: side].flags.contains(.endFollows) { return passEnd(from: side) }
      } else if count == 0 {
        // After a failed write an end may be a reset whose error that write has taken: it is no end of what was said.
        if table[side: side].flags.contains(.broken) { return end(side >> 1, reset: true) }
        return passEnd(from: side)
      } else if count == -Int(EAGAIN) {
        table[side: side].flags.subtract([.readable, .readToEnd])
      } else if count != -Int(EINTR) {
        return end(side >> 1, reset: true)
      }
    }
  }

  @inline(__always)
  private mutating func noteSize(_ count: Int, from side: Int) {
    if count == Block.size {
      if passage.open() { table[side: side].flags.insert(.streams) }
    } else if !table[side: side].flags.contains(.readToEnd) {
      table[side: side].flags.remove(.readable)
    }
  }

  @inline(__always)
  func tally(_ count: Int, from side: Int) {
    if side & 1 == 0 { table[side >> 1].bytesIn &+= UInt64(count) } else { table[side >> 1].bytesOut &+= UInt64(count) }
  }

  /// False when the connection has ended.
  private mutating func write(_ count: Int, to side: Int) -> Bool {
    var written = 0
    while written < count {
      beforeWrite(to: side)
      let result = scratch.drain(written..<count, to: table[side: side].descriptor)
      if result >= 0 {
        written += result
      } else if result == -Int(EAGAIN) {
        keepPending(written..<count, for: side)
        return true
      } else if result != -Int(EINTR) {
        lastWords(of: side)
        return false
      }
    }
    return true
  }

  /// A new socket holds small writes back while an earlier one is unanswered (Nagle's algorithm): never the first, so a connection
  /// with one request has no need to be told.
  @inline(__always)
  func beforeWrite(to side: Int) {
    guard !table[side: side].flags.contains(.prompt) else { return }
    if table[side: side].flags.contains(.written) {
      table[side: side].flags.insert(.prompt)
      cl_send_promptly(table[side: side].descriptor)
    } else {
      table[side: side].flags.insert(.written)
    }
  }

  mutating func keepPending(_ range: Range<Int>, for side: Int) {
    table[side: side].pending = scratch
    table[side: side].pendingStart = Int32(range.lowerBound)
    table[side: side].pendingEnd = Int32(range.upperBound)
    scratch = pool.take()
    if table[side: side].flags.contains(.tellsWritable) { return }
    table[side: side].flags.insert(.tellsWritable)
    // Not registered yet while the connection is being opened; `open` does it then.
    let token = Token.side(side, generation: table[side >> 1].generation)
    _ = cl_epoll_modify(epoll, table[side: side].descriptor, CL_IN | CL_OUT | CL_EDGE, token)
  }

  /// Writes what waits for `side`, then goes on with what the other side has to say. False when the connection has ended.
  private mutating func flush(to side: Int) -> Bool {
    guard let block = table[side: side].pending else { return true }
    while table[side: side].pendingStart < table[side: side].pendingEnd {
      let range = Int(table[side: side].pendingStart)..<Int(table[side: side].pendingEnd)
      beforeWrite(to: side)
      let result = block.drain(range, to: table[side: side].descriptor)
      if result >= 0 {
        table[side: side].pendingStart += Int32(result)
      } else if result == -Int(EAGAIN) {
        return true
      } else if result != -Int(EINTR) {
        lastWords(of: side)
        return false
      }
    }
    dropPending(side)
    return resume(from: side ^ 1)
  }

  private mutating func resume(from side: Int) -> Bool {
    let generation = table[side >> 1].generation
    if table[side: side].flags.contains(.ended) { passEnd(from: side) } else { forward(from: side) }
    return table.isCurrent(side: side, generation: generation)
  }

  /// Half-close: the other side hears the end once everything before it is written.
  private mutating func passEnd(from side: Int) {
    let other = side ^ 1
    table[side: side].flags.insert(.ended)
    table[side: side].flags.remove(.readable)
    guard table[side: other].pending == nil else { return }
    if table[side: other].flags.contains(.ended), table[side: side].pending == nil { return end(side >> 1, reset: false) }
    guard !table[side: other].flags.contains(.shut) else { return }
    table[side: other].flags.insert(.shut)
    shutdown(table[side: other].descriptor, Int32(SHUT_WR))
  }

  /// `side` takes nothing more. A server that refuses a long upload answers and resets: the answer is passed on first.
  mutating func lastWords(of side: Int) {
    let generation = table[side >> 1].generation
    dropPending(side)
    if !table[side: side].flags.contains(.ended), !table[side: side ^ 1].flags.contains(.broken) {
      table[side: side].flags.formUnion([.broken, .readable, .readToEnd])
      forward(from: side)
    }
    if table.isCurrent(side: side, generation: generation) { end(side >> 1, reset: true) }
  }

  private mutating func dropPending(_ side: Int) {
    guard let block = table[side: side].pending else { return }
    table[side: side].pending = nil
    pool.giveBack(block)
  }

  /// Closes both sides and forgets the connection.
  mutating func end(_ index: Int, reset: Bool) {
    endSide(2 * index, reset)
    endSide(2 * index + 1, reset)
    if table[index].attempts > 0 { tried[index] = nil }
    settle(index)
    table.release(index)
  }

  private mutating func endSide(_ side: Int, _ reset: Bool) {
    dropPending(side)
    let descriptor = table[side: side].descriptor
    guard descriptor >= 0 else { return }
    if reset { cl_reset(descriptor) } else { close(descriptor) }
  }

  private func settle(_ index: Int) {
    let (connection, thread) = (table[index], thread)
    shared.withTable {
      $0.settle(
        Int(connection.listener), endpoint: connection.endpoint, thread: thread, bytesIn: connection.bytesIn,
        bytesOut: connection.bytesOut)
    }
    shared.connectionEnded()
  }
}
