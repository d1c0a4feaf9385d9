// SPDX-License-Identifier: Apache-2.0

/// Which of the hosts that traffic goes to have stopped answering: faster, and closer, than the managers' judgement.
///
/// Time goes in rounds: every host is asked once in each, and whoever has not answered when the round is judged has missed it.
package struct PeerHealth: Sendable, Hashable {
  /// From one question to the next.
  package static let round = Duration.milliseconds(80)
  /// From the question to the judgement.
  package static let patience = Duration.milliseconds(40)
  static let misses = 3
  /// One that was silent has to answer so often in a row before it gets traffic again.
  static let answers = 5

  struct Peer: Sendable, Hashable {
    var hasAnswered = true
    var missed = 0
    var answered = 0
    var isSilent = false
  }

  private var peers: [String: Peer] = [:]

  package init() {}

  package var watched: Set<String> { Set(peers.keys) }
  package var silent: Set<String> { Set(peers.filter(\.value.isSilent).keys) }

  /// Those to ask from now on. One that is new counts as answering.
  package mutating func watch(_ ids: Set<String>) {
    peers = peers.filter { ids.contains($0.key) }
    for id in ids where peers[id] == nil { peers[id] = Peer() }
  }

  /// A round begins: all are asked.
  package mutating func begin() {
    for id in peers.keys { peers[id]?.hasAnswered = false }
  }

  package mutating func answered(_ id: String) { peers[id]?.hasAnswered = true }

  /// The round is over; whether anybody is silent who was not, or the other way about. A judge that was late itself condemns nobody: the
  /// answers may be waiting where it has not looked.
  package mutating func judge(isLate: Bool) -> Bool {
    let before = silent
    for id in peers.keys { peers[id]?.judge(isLate: isLate) }
    return silent != before
  }
}

extension PeerHealth.Peer {
  fileprivate mutating func judge(isLate: Bool) {
    guard !hasAnswered else {
      missed = 0
      answered += 1
      if answered >= PeerHealth.answers { isSilent = false }
      return
    }
    guard !isLate else { return }
    answered = 0
    missed += 1
    if missed >= PeerHealth.misses { isSilent = true }
  }
}
