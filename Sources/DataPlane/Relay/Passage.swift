// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// A pipe that the bytes of large flows pass through from one socket to another, without a copy. Empty between two flows' turns,
/// so one serves all connections of a thread.
struct Passage: ~Copyable {
  /// At most a block: what the other side does not take is kept in one.
  static let share = Block.size
  // Of 4 KiB each, whatever they hold: a network card's packets fill a third of theirs.
  private static let slots = 32

  private var exit: Int32 = -1
  private var entry: Int32 = -1

  deinit {
    if exit >= 0 { close(exit) }
    if entry >= 0 { close(entry) }
  }

  /// Made when it is first needed; false when it cannot be had now.
  mutating func open() -> Bool {
    exit >= 0 || cl_pipe(&exit, &entry, Int32(Self.slots * 4096)) == 0
  }

  /// Bytes taken from a socket, 0 at its end, or a negative errno. It has none for an urgent mark either: reading tells.
  func take(from descriptor: Int32) -> Int { cl_splice(descriptor, entry, Self.share) }

  /// How many of the `count` bytes within the socket took, or a negative errno.
  func give(_ count: Int, to descriptor: Int32) -> Int { cl_splice(exit, descriptor, count) }

  /// Empties the pipe of the `count` bytes within; false if they cannot be had.
  func empty(_ count: Int, into block: Block) -> Bool { block.fill(count, fromPipe: exit) == count }
}
