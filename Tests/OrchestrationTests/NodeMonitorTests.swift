// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Orchestration

/// A judge and its nodes by a clock of the test's: each row is what happens at a moment.
private struct Court {
  var monitor = NodeMonitor(period: .milliseconds(500))
  var now = Duration.zero
  /// Who sends heartbeats, every period.
  var alive: Set<String>
  /// What was said, with the milliseconds it was said at.
  private(set) var verdicts: [String] = []

  init(_ nodes: String...) { alive = Set(nodes) }

  /// Lets time pass with the judge awake.
  mutating func pass(_ milliseconds: Int) {
    for _ in 0..<(milliseconds / 100) {
      now += .milliseconds(100)
      if now.milliseconds % 500 == 0 { for id in alive { monitor.heard(id, at: now) } }
      judge()
    }
  }

  /// Lets time pass without judge and without anything it could have heard.
  mutating func sleep(_ milliseconds: Int) { now += .milliseconds(milliseconds) }

  mutating func judge() {
    for verdict in monitor.judge(at: now) {
      switch verdict {
      case .down(let id): verdicts.append("\(now.milliseconds) down \(id)")
      case .unknown(let id): verdicts.append("\(now.milliseconds) unknown \(id)")
      }
    }
  }
}

extension Duration {
  fileprivate var milliseconds: Int { Int(self / .milliseconds(1)) }
}

@Suite("Which nodes are lost")
struct NodeMonitorTests {
  @Test("a node is down two seconds after its last heartbeat, once, and watched again when it is heard")
  func silence() {
    var court = Court("a", "b", "c")
    court.pass(5_000)
    court.alive.remove("b")
    court.pass(10_000)
    #expect(court.verdicts == ["7000 down b"])
    court.alive.insert("b")
    court.pass(1_000)
    court.alive.remove("b")
    court.pass(3_000)
    #expect(court.verdicts == ["7000 down b", "18000 down b"])
  }

  @Test("one of two and one of three are condemned; so is one after the other")
  func minorities() {
    var court = Court("a", "b", "c", "d", "e")
    court.pass(1_000)
    court.alive = ["a", "b", "c"]
    court.pass(5_000)
    court.alive = ["a", "b"]
    court.pass(5_000)
    court.alive = ["a"]
    court.pass(5_000)
    #expect(court.verdicts == ["3000 down d", "3000 down e", "8000 down c", "13000 down b"])
  }

  @Test("when most fall silent together nobody is condemned for 30 seconds, and those who come back never")
  func massLoss() {
    var court = Court("a", "b", "c")
    court.pass(1_000)
    court.alive = ["a"]
    court.pass(20_000)
    #expect(court.verdicts == ["3000 unknown b", "3000 unknown c"])
    court.alive = ["a", "b"]
    court.pass(20_000)
    #expect(court.verdicts == ["3000 unknown b", "3000 unknown c", "33000 down c"])
  }

  @Test("a judge that was asleep condemns nobody for what it has not heard meanwhile, and says so of nobody afterwards")
  func lateness() {
    var court = Court("a", "b", "c")
    court.pass(1_000)
    court.sleep(60_000)
    court.judge()
    court.pass(10_000)
    #expect(court.verdicts == [])
  }

  @Test("a node that died while the judge slept has its two seconds from then on")
  func deathInSleep() {
    var court = Court("a", "b", "c")
    court.pass(1_000)
    court.alive.remove("c")
    court.sleep(60_000)
    court.judge()
    court.pass(5_000)
    #expect(court.verdicts == ["62900 down c"])
  }

  @Test("a new judge gives those it has not heard of five seconds")
  func grace() {
    var court = Court("a")
    court.monitor.begin(with: ["a", "b"], at: .zero)
    court.pass(10_000)
    #expect(court.verdicts == ["5000 down b"])
  }

  @Test("a node that said goodbye is waited for as long as it said, from its heartbeats on as any other")
  func excused() {
    var court = Court("a", "b", "c")
    court.pass(1_000)
    court.alive.remove("b")
    court.monitor.excuse("b", for: .seconds(60), at: court.now)
    court.pass(59_000)
    #expect(court.verdicts == [])
    court.pass(2_000)
    #expect(court.verdicts == ["61000 down b"])
  }

  @Test("a node that is back has no longer the time that it was excused for")
  func returned() {
    var court = Court("a", "b", "c")
    court.pass(1_000)
    court.monitor.excuse("b", for: .seconds(60), at: court.now)
    court.pass(5_000)
    court.alive.remove("b")
    court.pass(5_000)
    #expect(court.verdicts == ["8000 down b"])
  }

  @Test("who is forgotten is not judged")
  func forgotten() {
    var court = Court("a", "b")
    court.pass(1_000)
    court.alive.remove("b")
    court.monitor.forget("b")
    court.pass(5_000)
    #expect(court.verdicts == [])
  }
}
