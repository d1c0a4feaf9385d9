// SPDX-License-Identifier: Apache-2.0

/// A thread that carries traffic, with its reactor where another thread can take it up: a copy of the process (fork) has the
/// memory of all threads and runs only one.
///
/// Unchecked: what protects the reactor is that only the thread that `start` made touches it, and that the controller calls `start`
/// once, and once more in a copy of the process, where that thread is gone.
final class ReactorThread: @unchecked Sendable {
  private var reactor: Reactor?
  private let shared: Shared
  private let number: Int

  init(_ reactor: consuming Reactor, shared: Shared) {
    number = reactor.thread
    self.reactor = consume reactor
    self.shared = shared
  }

  func start() {
    DedicatedThread.start { self.run() }
  }

  private func run() {
    while true {
      switch reactor?.run() {
      case .parked:
        shared.notices.post(.parked)
        _ = shared.resumptions[number].waitForAll()
      case .stopped, nil:
        // Its descriptors are closed before anybody hears of the end.
        reactor = nil
        return shared.notices.post(.stopped)
      }
    }
  }
}
