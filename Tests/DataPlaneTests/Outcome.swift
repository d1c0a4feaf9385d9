// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A number that one thread sets and another waits for.
final class Outcome: Sendable {
  private let stored = Mutex<Int32?>(nil)

  var value: Int32? { stored.withLock { $0 } }
  func set(_ value: Int32) { stored.withLock { $0 = value } }
}
