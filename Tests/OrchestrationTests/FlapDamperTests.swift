// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Orchestration

@Suite("Nodes that come and go")
struct FlapDamperTests {
  /// Loses a node and takes it back every `period` seconds; returns for how many seconds it is held each time.
  private func holds(_ count: Int, every period: Int64) -> [Int64] {
    var (damper, now) = (FlapDamper(), Duration.zero)
    return (0..<count).map { _ in
      damper.lost("a", at: now)
      now += .seconds(5)
      let hold = damper.back("a", at: now)
      defer { now += .seconds(period - 5) }
      return hold.map { ($0.until - now).components.seconds } ?? 0
    }
  }

  @Test(
    "one that is lost again and again waits longer each time, up to five minutes; one that is lost now and then does not wait")
  func growth() {
    #expect(holds(9, every: 30) == [0, 0, 15, 30, 60, 120, 240, 300, 300])
    #expect(holds(6, every: 300) == [0, 0, 0, 0, 0, 0])
  }

  @Test("the time counts from the return, is said, and does not begin anew with another session")
  func release() {
    var damper = FlapDamper()
    for loss in 0..<4 { damper.lost("a", at: .seconds(loss)) }
    let hold = damper.back("a", at: .seconds(10))
    #expect(hold == .init(losses: 4, until: .seconds(40)))
    #expect(hold?.message(at: .seconds(10)) == "lost 4 times within 10 minutes: gets tasks again in 30 s")
    let again = damper.back("a", at: .seconds(20))
    #expect(again == hold)
    var released = damper.released(at: .seconds(39))
    #expect(released == [] && damper.isHeld("a", at: .seconds(39)))
    released = damper.released(at: .seconds(40))
    #expect(released == ["a"] && !damper.isHeld("a", at: .seconds(40)))
    released = damper.released(at: .seconds(41))
    #expect(released == [])
    let afterwards = damper.back("a", at: .seconds(42))
    #expect(afterwards == nil, "what was paid for is paid for")
    damper.lost("a", at: .seconds(50))
    damper.forget("a")
    let forgotten = damper.back("a", at: .seconds(60))
    #expect(forgotten == nil)
  }

  @Test("three registrations in close succession after the first, then one when it has been quiet for eight seconds")
  func registrations() {
    var limit = RegistrationLimit()
    let moments: [(Int64, Bool)] = [
      (0, true), (1, true), (2, true), (3, true), (4, false), (10, false), (12, true), (13, true), (30, true),
    ]
    for (second, isAdmitted) in moments {
      let admitted = limit.admits("a", at: .seconds(second))
      #expect(admitted == isAdmitted, "\(second)")
    }
    let other = limit.admits("b", at: .seconds(4))
    #expect(other)
  }
}
