// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Messages for one thread, which is woken by a descriptor. Bounded by what is sent: a message for each connection that is handed
/// over, and those have a limit, or for each order of skepd's, which are taken one after the other.
final class Inbox<Message: Sendable>: Sendable {
  /// Readable while messages wait.
  let descriptor: Int32
  private let waiting = Locked<[Message]>([])

  init() throws(DataPlaneError) {
    descriptor = cl_eventfd()
    guard descriptor >= 0 else { throw .system("eventfd", descriptor) }
  }

  deinit { close(descriptor) }

  func post(_ message: Message) {
    let isFirst = waiting.withLock { waiting in
      waiting.append(message)
      return waiting.count == 1
    }
    guard isFirst else { return }
    var one: UInt64 = 1
    _ = write(descriptor, &one, 8)
  }

  func takeAll() -> [Message] {
    // Read first: a message that comes between the two is taken, and one that comes after them wakes again.
    var count: UInt64 = 0
    _ = read(descriptor, &count, 8)
    return waiting.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
  }

  /// Blocks until there is a message.
  func waitForAll() -> [Message] {
    while true {
      let messages = takeAll()
      if !messages.isEmpty { return messages }
      var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      _ = poll(&watched, 1, -1)
    }
  }
}
