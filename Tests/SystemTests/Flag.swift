// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Something that happens once, for tasks that look now and then.
final class Flag: Sendable {
  private let raised = Atomic(false)
  var isRaised: Bool { raised.load(ordering: .acquiring) }
  func raise() { raised.store(true, ordering: .releasing) }
}
