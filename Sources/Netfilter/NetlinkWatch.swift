// SPDX-License-Identifier: Apache-2.0

import CLinux
import Dispatch
import Glibc

/// Tells when somebody changes this network namespace's addresses, policy routing or packet filter.
package final class NetlinkWatch: Sendable {
  /// One element for any number of changes.
  package let changes: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation
  // Protected by never changing after `init`; Dispatch's objects may be used on any thread, its types do not say so.
  private nonisolated(unsafe) let sources: [any DispatchSourceRead]

  package init() throws(NetfilterError) {
    let (changes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    (self.changes, self.continuation) = (changes, continuation)
    sources = [try Self.source(nftables: true, continuation), try Self.source(nftables: false, continuation)]
    continuation.yield()
  }

  /// Calls `body` at the beginning, after each change, at most twice a second, and every ten seconds in any case: not all that
  /// matters is told by the kernel. Until cancelled.
  package static func run(_ body: @escaping @Sendable () async -> Void) async throws {
    let watch = try NetlinkWatch()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        while true {
          try await Task.sleep(for: .seconds(10))
          watch.poke()
        }
      }
      group.addTask {
        for await _ in watch.changes {
          await body()
          try await Task.sleep(for: .milliseconds(500))
        }
      }
      try await group.next()
      group.cancelAll()
    }
  }

  /// As if something had changed.
  package func poke() { continuation.yield() }

  deinit { for source in sources { source.cancel() } }

  private static func source(nftables: Bool, _ continuation: AsyncStream<Void>.Continuation) throws(NetfilterError)
    -> any DispatchSourceRead
  {
    let descriptor = cl_netlink_watch(nftables ? 1 : 0)
    guard descriptor >= 0 else {
      throw NetfilterError(.system, "watching the network's settings: \(String(cString: strerror(-descriptor)))")
    }
    let source = DispatchSource.makeReadSource(fileDescriptor: descriptor)
    source.setEventHandler { if cl_netlink_drain(descriptor) != 0 { continuation.yield() } }
    source.setCancelHandler { close(descriptor) }
    source.activate()
    return source
  }
}
