// SPDX-License-Identifier: Apache-2.0

import HTTPWire
import Testing

@testable import EngineAPI

@Suite("The bound on all request bodies")
struct BodyBudgetTests {
  @Test("what one request holds is missing to the others until it is released, once")
  func shares() throws {
    let budget = BodyBudget(limit: 10)
    let (one, other) = (budget.share(), budget.share())
    try one.take(4)
    try one.take(3)
    try other.take(3)
    #expect(throws: HTTPSyntaxError(status: 503, "too many request bodies at a time; try again")) { try other.take(1) }
    one.release()
    one.release()
    try other.take(7)
    #expect(throws: HTTPSyntaxError.self) { try one.take(1) }
  }
}
