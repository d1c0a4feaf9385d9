// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc

/// SIGTERM and SIGINT as something to wait for.
struct TerminationSignals: Sendable {
  private let arrived = OneShot()

  /// Returns at the first signal, or when cancelled. Call it once.
  func wait() async {
    let sources = [SIGTERM, SIGINT].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { [arrived] in arrived.fire() }
      source.resume()
      return source
    }
    await arrived.wait()
    for source in sources { source.cancel() }
  }
}
