// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

// Large flows: splice(2) hands the kernel's pages on instead of copying them. It pays from tens of kilobytes on; a flow is one that
// filled a block, until it brings little again.
extension Reactor {
  /// Less than this at once costs more through the pipe than by copying. It bounds, too, how many pages that are nearly empty a slow
  /// reader's queue can hold.
  private static var least: Int { 16 * 1024 }

  enum StreamOutcome {
    case moved
    /// Nothing: reading tells why.
    case unmoved
    /// The connection is no more.
    case ended
  }

  mutating func stream(from side: Int) -> StreamOutcome {
    let count = passage.take(from: table[side: side].descriptor)
    if count > 0 {
      if count < Self.least { table[side: side].flags.remove(.streams) }
      tally(count, from: side)
      return give(count, to: side ^ 1) ? .moved : .ended
    }
    if count == 0 || count == -Int(EAGAIN) || count == -Int(EINTR) { return .unmoved }
    // The socket tells its error only once.
    end(side >> 1, reset: true)
    return .ended
  }

  /// False when the connection has ended. The pipe is empty afterwards in any case.
  private mutating func give(_ count: Int, to side: Int) -> Bool {
    var left = count
    while left > 0 {
      beforeWrite(to: side)
      let result = passage.give(left, to: table[side: side].descriptor)
      if result > 0 {
        left -= result
      } else if result != -Int(EINTR) {
        return keep(left, for: side, after: result)
      }
    }
    return true
  }

  private mutating func keep(_ left: Int, for side: Int, after result: Int) -> Bool {
    guard passage.empty(left, into: scratch) else {
      passage = Passage()
      end(side >> 1, reset: true)
      return false
    }
    guard result == -Int(EAGAIN) else {
      lastWords(of: side)
      return false
    }
    keepPending(0..<left, for: side)
    return true
  }
}
