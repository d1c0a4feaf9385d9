// SPDX-License-Identifier: Apache-2.0

package import Balancing
package import ClusterModel
import Dispatch
package import Logging
import Netfilter
import Synchronization

/// Asks the tunnel's other ends whether they are there, and tells which are not.
package final class PeerProber: Sendable {
  struct State {
    var health = PeerHealth()
    var peers: [IPv4Address: Peer] = [:]
    var round: UInt16 = 0
    /// When the round in progress was to be judged, by the monotonic clock; 0 between rounds.
    var due: UInt64 = 0
  }

  private let state = Mutex(State())
  private let logger: Logger
  private let changes: AsyncStream<Set<IPv4Subnet>>
  private let tell: AsyncStream<Set<IPv4Subnet>>.Continuation

  package init(logger: Logger) {
    self.logger = logger
    (changes, tell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// Those to ask from now on.
  package func watch(_ peers: [Peer]) {
    let silent = state.withLock { state -> Set<IPv4Subnet>? in
      let before = state.silent
      state.peers = Dictionary(peers.map { ($0.subnet.gateway, $0) }) { first, _ in first }
      state.health.watch(Set(peers.map(\.nodeID)))
      return state.silent == before ? nil : state.silent
    }
    if let silent { tell.yield(silent) }
  }

  /// The subnets of those that do not answer, all of them at every change. For one reader.
  package func silentPeers() -> AsyncStream<Set<IPv4Subnet>> { changes }

  /// Until cancelled. Its timer is the system's, not that of tasks, which may wait for one another.
  package func run() async {
    do {
      let socket = try EchoSocket()
      let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "skep.peers", qos: .userInteractive))
      let half = DispatchTimeInterval.milliseconds(40)
      timer.schedule(deadline: .now() + half, repeating: half, leeway: .milliseconds(1))
      timer.setEventHandler { [weak self] in self?.tick(socket) }
      timer.activate()
      defer { timer.cancel() }
      while true { try await Task.sleep(for: .seconds(3_600)) }
    } catch is CancellationError {} catch {
      logger.warning("hosts that fall silent get traffic until the managers notice", metadata: ["error": "\(error)"])
    }
  }

  /// Every other one asks, those between judge: a round is as long as `PeerHealth.round`.
  private func tick(_ socket: EchoSocket) {
    let now = DispatchTime.now().uptimeNanoseconds
    let news = state.withLock { state -> (Set<IPv4Subnet>, [String])? in
      guard state.due > 0 else {
        state.ask(socket, now)
        return nil
      }
      return state.judge(socket, now)
    }
    guard let (silent, names) = news else { return }
    logger.warning("hosts of the cluster do not answer this one", metadata: ["nodes": "\(names.joined(separator: " "))"])
    tell.yield(silent)
  }
}

extension PeerProber.State {
  fileprivate var silent: Set<IPv4Subnet> {
    Set(peers.values.filter { health.silent.contains($0.nodeID) }.map(\.subnet))
  }

  fileprivate mutating func ask(_ socket: EchoSocket, _ now: UInt64) {
    guard !peers.isEmpty else { return }
    round &+= 1
    health.begin()
    for address in peers.keys { socket.ask(address, round: round) }
    due = now + UInt64(PeerHealth.patience.nanoseconds)
  }

  fileprivate mutating func judge(_ socket: EchoSocket, _ now: UInt64) -> (Set<IPv4Subnet>, [String])? {
    for address in socket.answers(round: round) {
      if let peer = peers[address] { health.answered(peer.nodeID) }
    }
    // Twice as late as it should be.
    let isLate = now > due + UInt64(PeerHealth.patience.nanoseconds)
    due = 0
    return health.judge(isLate: isLate) ? (silent, health.silent.sorted()) : nil
  }
}
