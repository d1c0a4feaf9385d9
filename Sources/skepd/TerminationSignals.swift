// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc

/// SIGTERM and SIGINT as something to wait for.
struct TerminationSignals: Sendable {
  private let arrived = OneShot()
  private let sources: [any DispatchSourceSignal & Sendable]

  init() {
    let arrived = arrived
    sources = [SIGTERM, SIGINT].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { arrived.fire() }
      source.resume()
      return source
    }
  }

  /// Returns at the first signal, or when cancelled.
  func wait() async { await arrived.wait() }
}
