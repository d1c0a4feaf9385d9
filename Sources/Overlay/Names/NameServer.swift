// SPDX-License-Identifier: Apache-2.0

package import Balancing
package import ClusterModel
package import Logging
package import NIOCore
import Synchronization

/// Answers containers of this host what names mean on their networks, and asks other servers for all other names: the container's own if
/// it has some, else the host's.
///
/// An answer is held for a second at most while its container's own rules are not in force: a connection that began before them would
/// get nowhere.
package final class NameServer: Sendable {
  struct State {
    var table = NameTable([])
    var programmed: Set<IPv4Address> = []
    /// Of clients with servers of their own.
    var servers: [IPv4Address: [SocketAddress]] = [:]
    var wanted: Set<IPv4Address> = []
    /// Those that a task cares for; some may not be wanted any more.
    var kept: Set<IPv4Address> = []
    var open: [IPv4Address: [any Channel]] = [:]
    var turn = 0
  }

  /// Questions that are being answered; those beyond are dropped, and their clients ask again.
  static let questions = 1_024
  /// Connections; those beyond are closed at once.
  static let connections = 128

  let state = Mutex(State())
  let port: Int
  let patience: Duration
  let logger: Logger
  let forwarder: Forwarder
  let servers: @Sendable () -> [SocketAddress]
  let opened: @Sendable (IPv4Address) -> Void
  let questions = Slots(NameServer.questions)
  let connections = Slots(NameServer.connections)
  private let changes: AsyncStream<Void>
  private let change: AsyncStream<Void>.Continuation

  /// - Parameters:
  ///   - port: where it is asked.
  ///   - patience: for how long an answer is held.
  ///   - silence: for how long another server's answer is waited for, twice at most.
  ///   - servers: those to ask for names that are none of the networks', at the moment.
  ///   - opened: is called whenever names can be asked at an address from now on.
  package init(
    port: Int = 53, patience: Duration = .seconds(1), silence: Duration = .seconds(2), logger: Logger,
    servers: @escaping @Sendable () -> [SocketAddress] = HostResolvers.servers,
    opened: @escaping @Sendable (IPv4Address) -> Void = { _ in }
  ) {
    self.port = port
    self.patience = patience
    self.logger = logger
    forwarder = Forwarder(patience: silence)
    self.servers = servers
    self.opened = opened
    (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// What names mean from now on.
  package func know(_ networks: [OverlayNetwork]) {
    let table = NameTable(networks)
    state.withLock { $0.table = table }
  }

  /// The addresses of all containers of this host whose own rules are in force; others are made to wait.
  package func serve(_ programmed: Set<IPv4Address>) { state.withLock { $0.programmed = programmed } }

  /// Containers with servers of their own, by each of their addresses: names that are none of the networks' are asked of those, and by
  /// containers without any of the host's.
  package func forward(_ clients: [IPv4Address: [SocketAddress]]) {
    state.withLock { $0.servers = clients.filter { !$0.value.isEmpty } }
  }

  /// The addresses at which it is asked; they need not be this host's yet.
  package func listen(at addresses: Set<IPv4Address>) {
    let unwanted = state.withLock { state in
      state.wanted = addresses
      return state.open.filter { !addresses.contains($0.key) }.flatMap(\.value)
    }
    for channel in unwanted { channel.close(promise: nil) }
    change.yield()
  }

  /// Until cancelled. Once.
  package func run() async {
    await withDiscardingTaskGroup { group in
      for await _ in changes {
        let new = state.withLock { state in
          let new = state.wanted.subtracting(state.kept)
          state.kept.formUnion(new)
          return new
        }
        for address in new { group.addTask { await self.keep(address) } }
      }
    }
  }

  private func keep(_ address: IPv4Address) async {
    var complaint: String?
    while isToBeKept(address) {
      do { try await serve(at: address) } catch  where !Task.isCancelled && complaint != "\(error)" {
        complaint = "\(error)"
        logger.error("names cannot be asked at an address", metadata: ["address": "\(address)", "error": "\(error)"])
      } catch {}
      try? await Task.sleep(for: .milliseconds(200))
    }
  }

  private func isToBeKept(_ address: IPv4Address) -> Bool {
    state.withLock { state in
      if state.wanted.contains(address), !Task.isCancelled { return true }
      state.kept.remove(address)
      return false
    }
  }
}
