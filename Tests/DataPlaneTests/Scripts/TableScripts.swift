// SPDX-License-Identifier: Apache-2.0

private let toA: [Step] = [.serve(["a"]), .holds(["a"], first: 1)]

extension Script {
  static let tables: [Script] = [
    Script(
      "an endpoint that drains keeps whom it has",
      toA + [
        .serve([.draining("a"), "b"]), .visits(["b", "b"]), .open(["a": 1]), .exchange(100_000), .open([:]),
        .totals(["a": 1, "b": 2]),
      ]),
    Script(
      "all drain: nobody new comes in, nobody is put out",
      toA + [.serve([.draining("a")]), .client(.connects(), 2), .client(.seesReset, 2), .exchange(1_000), .refused(1)]),
    Script(
      "an endpoint that is gone keeps whom it has",
      toA + [
        .serve(["b"]), .visits(["b"]), .client(.sends("still")), .server(.sees("still")), .server(.sends("here")),
        .client(.sees("here")), .open(["a": 1]), .exchange(1_000), .open([:]),
      ]),
    Script(
      "an endpoint that is gone with bytes on the way gives them all",
      toA + [
        .server(.sendsUntilStalled(below: 24 << 20)), .serve(["b"]), .server(.finishes), .client(.seesWhatStalled),
        .client(.seesEnd), .client(.finishes), .server(.seesEnd), .open([:]),
      ]),
    Script(
      "an endpoint that comes back has its old connections and its old counts",
      toA + [
        .serve(["b"]), .serve(["a", "b"]), .open(["a": 1]), .totals(["a": 1]), .holds(["b", "a"], first: 2),
        .open(["a": 2, "b": 1]), .exchange(1_000, [1, 2, 3]),
      ]),
    Script(
      "an endpoint may move to another address: new clients follow, old ones stay",
      [
        .serve(["a", "b"]), .holds(["a"], first: 1), .stop("a"), .serve([.refusing("a"), "b"]), .visits(["b", "b"]),
        .exchange(1_000),
      ]),
    Script(
      "a listener that is withdrawn refuses, and keeps whom it has",
      toA + [.withdraw("web"), .client(.isRefused(), 2), .client(.sends("x")), .server(.sees("x")), .exchange(1_000)]),
    Script(
      "a listener that is added disturbs no other",
      toA + [.serve(["b"], as: "api"), .visits(["b"], to: "api"), .holds(["a"], first: 2), .exchange(1_000, [1, 2])]),
    Script(
      "a listener that is withdrawn disturbs no other",
      [
        .serve(["a"]), .serve(["b"], as: "api"), .holds(["a"], first: 1), .withdraw("api"), .client(.isRefused(by: "api"), 2),
        .visits(["a"]), .exchange(1_000),
      ]),
    Script(
      "a port that goes to another service takes new clients there, and old ones stay",
      toA + [
        .move("web", to: "shop", ["b"]), .visits(["b", "b"], to: "shop"), .open(["a": 1, "b": 0]), .client(.sends("x")),
        .server(.sees("x")), .exchange(1_000), .open([:]),
      ]),
    Script(
      "a port that goes to another service and back begins its turns anew",
      [
        .serve(["a", "b"]), .visits(["a"]), .move("web", to: "shop", ["c"]), .visits(["c"], to: "shop"),
        .move("shop", to: "web", ["a", "b"]), .visits(["a", "b"]),
      ]),
    Script(
      "two listeners swap nothing when one's endpoints change",
      [
        .serve(["a"]), .serve(["b"], as: "api"), .holds(["a"], first: 1), .client(.connects(to: "api"), 2), .accepted(by: "b", 2),
        .serve(["b"]), .serve(["a"], as: "api"), .visits(["b"]), .visits(["a"], to: "api"), .exchange(10_000, [1, 2]),
      ]),
    Script(
      "a hundred tables one after the other drop nobody",
      toA + (0..<100).map { .serve($0 % 2 == 0 ? ["a", "b"] : ["b", .draining("a")]) } + [.exchange(1_000), .open([:])]),
    Script(
      "an empty table after a full one keeps who is there",
      [
        .serve(["a"]), .serve(["b"], as: "api"), .holds(["a"], first: 1), .withdraw("web"), .withdraw("api"), .exchange(1_000),
        .open([:]),
      ]),
    Script(
      "told to end, the relay refuses new clients, serves old ones and ends with the last",
      toA + [
        .shutdown, .client(.isRefused(), 2), .client(.sends("x")), .server(.sees("x")),
        .client(.seesNothing(for: .milliseconds(300))), .client(.finishes), .server(.seesEnd), .server(.sends("y")),
        .server(.finishes), .client(.sees("y")), .client(.seesEnd), .relayEnds,
      ]),
    Script(
      "told to end, the relay ends at its time, whoever is there",
      toA + [
        .clock, .shutdown, .client(.seesNothing(for: .milliseconds(250))), .client(.seesEnd), .server(.seesEnd), .relayEnds,
        .took(atLeast: .milliseconds(300)),
      ], adjust: { $0.drainTimeout = .milliseconds(300) }),
  ]
}
