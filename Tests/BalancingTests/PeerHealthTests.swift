// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Balancing

@Suite("Which hosts answer")
struct PeerHealthTests {
  /// Rounds in which `b` answers (+), does not (-), or does not while the judge was late (~); who is silent after each.
  @Test(
    "three misses in a row make a host silent, five answers in a row take that back, and a late judge condemns nobody",
    arguments: [
      ("+++", "..."), ("--+--+", "......"), ("---", "..s"), ("----+++++", "..ssssss."), ("---++++-+++++", "..ssssssssss."),
      ("~~~~~", "....."), ("--~-", "...s"), ("-~+--", "....."),
    ])
  func rounds(_ rounds: String, _ silent: String) {
    var health = PeerHealth()
    health.watch(["a", "b"])
    var seen = ""
    var wasSilent = false
    for round in rounds {
      health.begin()
      health.answered("a")
      if round == "+" { health.answered("b") }
      let isNews = health.judge(isLate: round == "~")
      let isSilent = health.silent == ["b"]
      #expect(isNews == (isSilent != wasSilent))
      wasSilent = isSilent
      seen += isSilent ? "s" : "."
    }
    #expect(seen == silent)
  }

  @Test("a host that is asked no more is not silent, and is new when it is asked again")
  func unwatched() {
    var health = PeerHealth()
    health.watch(["a"])
    for _ in 0..<3 {
      health.begin()
      _ = health.judge(isLate: false)
    }
    #expect(health.silent == ["a"])
    health.watch([])
    health.answered("a")
    #expect(health.silent == [] && health.watched == [])
    health.watch(["a"])
    #expect(health.silent == [])
  }
}
