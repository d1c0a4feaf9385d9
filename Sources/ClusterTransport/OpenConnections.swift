// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// The connections of a port, while they are open.
final class OpenConnections: Sendable {
  private struct State {
    var channels: [ObjectIdentifier: any Channel] = [:]
    var isOver = false
  }

  private let state = Mutex(State())

  func add(_ channel: any Channel) {
    let id = ObjectIdentifier(channel)
    let isOver = state.withLock { state in
      if !state.isOver { state.channels[id] = channel }
      return state.isOver
    }
    guard !isOver else { return channel.close(promise: nil) }
    channel.closeFuture.whenComplete { [weak self] _ in self?.state.withLock { $0.channels[id] = nil } }
  }

  /// Those that come later are closed too.
  func closeAll() {
    let open = state.withLock { state in
      state.isOver = true
      return Array(state.channels.values)
    }
    for channel in open { channel.close(promise: nil) }
  }
}
