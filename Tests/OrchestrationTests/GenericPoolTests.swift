// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Testing

@testable import Orchestration

@Suite("A node's generic resources")
struct GenericPoolTests {
  static let node: [GenericResource] = [.discrete("fpga", 3), .named("gpu", "a"), .named("gpu", "b"), .named("gpu", "c")]

  @Test(
    "a task is given names where there are names, else a count, or nothing at all",
    arguments: [
      ([], []), ([.discrete("fpga", 3)], [.discrete("fpga", 3)]), ([.discrete("fpga", 4)], nil),
      ([.discrete("gpu", 2)], [.named("gpu", "a"), .named("gpu", "b")]), ([.discrete("gpu", 4)], nil),
      ([.discrete("tpu", 1)], nil), ([.discrete("GPU", 1)], nil), ([.discrete("fpga", 0)], []), ([.discrete("tpu", 0)], nil),
      ([.discrete("fpga", -1)], []), ([.discrete("gpu", -1)], []), ([.named("gpu", "a")], nil), ([GenericResource()], nil),
      ([.discrete("gpu", 1), .discrete("fpga", 1)], [.named("gpu", "a"), .discrete("fpga", 1)]),
      ([.discrete("gpu", 2), .discrete("gpu", 2)], nil),
      ([.discrete("gpu", 1), .discrete("gpu", 2)], [.named("gpu", "a"), .named("gpu", "b"), .named("gpu", "c")]),
      ([.discrete("fpga", 2), .discrete("fpga", 2)], nil),
    ] as [([GenericResource], [GenericResource]?)])
  func claims(wanted: [GenericResource], given: [GenericResource]?) {
    #expect(GenericPool(Self.node).claim(wanted) == given)
  }

  @Test("what is taken is gone, and a kind that is used up stays known")
  func taking() {
    var pool = GenericPool(Self.node)
    pool.take([.named("gpu", "b"), .discrete("fpga", 3), .named("gpu", "x"), .discrete("tpu", 1)])
    #expect(pool.claim([.discrete("gpu", 2)]) == [.named("gpu", "a"), .named("gpu", "c")])
    #expect(pool.claim([.discrete("fpga", 1)]) == nil)
    #expect(pool.claim([.discrete("fpga", 0)]) == [])
  }

  @Test(
    "what a task was given is there as long as the node still has it",
    arguments: [
      ([.named("gpu", "a"), .discrete("fpga", 3)], true), ([.named("gpu", "z")], false), ([.discrete("fpga", 4)], false),
      ([.discrete("gpu", 1)], false), ([.named("fpga", "a")], false), ([], true),
    ] as [([GenericResource], Bool)])
  func holding(claimed: [GenericResource], expected: Bool) { #expect(GenericPool(Self.node).holds(claimed) == expected) }
}
