// SPDX-License-Identifier: Apache-2.0

import DataPlane

extension Script {
  /// The time an endpoint has to accept, as it is in the product.
  private static let limit = Duration.milliseconds(250)
  private static let forever: @Sendable (inout Relay.Configuration) -> Void = { $0.connectTimeout = .seconds(60) }

  static let failures: [Script] = [
    Script(
      "one that refuses: the next has what the client said already",
      [
        .serve([.refusing("x"), "a"]), .client(.connects()), .client(.sends("early")), .accepted(by: "a"),
        .server(.sees("early")), .failures(["x": 1]), .totals(["a": 1]), .refused(0),
      ]),
    Script(
      "two that refuse: the third is met", [.serve([.refusing("x"), .refusing("y"), "a"]), .visits(["a", "a"]), .refused(0)]),
    Script(
      "one to whom there is no way costs no time",
      [
        .serve([.lost("l"), "a"]), .clock, .visits(["a"]), .took(atLeast: .zero, atMost: .milliseconds(200)), .failures(["l": 1]),
      ]),
    Script(
      "one that is silent has 250 ms, and nothing of it is seen",
      [
        .serve([.silent("s"), "a"]), .clock, .client(.connects()), .client(.sends("early")),
        .client(.seesNothing(for: .milliseconds(100))), .accepted(by: "a"),
        .took(atLeast: limit), .server(.sees("early")), .server(.sends("hello")), .client(.sees("hello")), .failures(["s": 1]),
      ]),
    Script(
      "two that are silent have 250 ms each",
      [
        .serve([.silent("s"), .silent("t"), "a"]), .clock, .client(.connects()), .accepted(by: "a"), .took(atLeast: limit * 2),
        .failures(["s": 1, "t": 1]),
      ]),
    Script(
      "one of each kind is tried once",
      [
        .serve([.refusing("x"), .silent("s"), .lost("l"), "a"]), .clock, .client(.connects()), .accepted(by: "a"),
        .took(atLeast: limit), .failures(["x": 1, "s": 1, "l": 1]),
      ]),
    Script(
      "all refuse: the client is reset at once",
      [
        .serve([.refusing("x"), .refusing("y")]), .client(.connects()), .client(.seesReset), .refused(1),
        .failures(["x": 1, "y": 1]),
      ]),
    Script(
      "all are lost: the client is reset at once",
      [.serve([.lost("l"), .lost("m")]), .client(.connects()), .client(.seesReset), .refused(1)]),
    Script(
      "all are silent: the client is reset when each had its time",
      [
        .serve([.silent("s"), .silent("t")]), .clock, .client(.connects()), .client(.seesNothing(for: .milliseconds(450))),
        .client(.seesReset), .took(atLeast: limit * 2), .refused(1),
      ]),
    Script(
      "there is none: the client is reset at once",
      [.serve([]), .client(.connects()), .client(.seesReset), .refused(1), .serve(["a"]), .visits(["a"]), .refused(1)]),
    Script(
      "there are draining ones only: the client is reset at once",
      [.serve([.draining("a")]), .client(.connects()), .client(.seesReset), .refused(1), .totals([:])]),
    Script(
      "one that is silent leaves the table: its clients meet another at once",
      [
        .serve([.silent("s")]), .client(.connects()), .client(.sends("early")), .open(["s": 1]), .serve(["a"]),
        .accepted(by: "a"), .server(.sees("early")),
      ], adjust: forever),
    Script(
      "one that is silent leaves the table, the last: its clients are reset at once",
      [.serve([.silent("s")]), .client(.connects()), .open(["s": 1]), .serve([]), .client(.seesReset), .refused(1)],
      adjust: forever),
    Script(
      "the listener leaves the table: who still waits for an endpoint is reset",
      [
        .serve([.silent("s")]), .client(.connects()), .open(["s": 1]), .withdraw("web"), .client(.seesReset),
        .client(.isRefused(), 2),
      ], adjust: forever),
    Script(
      "one that drains keeps who waits for it until its time is over",
      [
        .serve([.silent("s"), "a"]), .clock, .client(.connects()), .open(["s": 1]), .serve([.silent("s", draining: true), "a"]),
        .nobodyAccepts(for: .milliseconds(100)),
        .accepted(by: "a"), .took(atLeast: limit), .client(.sends("x")), .server(.sees("x")),
      ]),
    Script(
      "the client resets while it waits: nobody is held up, and its end is passed on",
      [
        .serve([.silent("s"), "a"]), .client(.connects()), .open(["s": 1]), .client(.resets), .accepted(by: "a"),
        .server(.seesReset), .open([:]),
      ]),
    Script(
      "the client leaves while all are silent: it is forgotten when they had their time",
      [.serve([.silent("s")]), .client(.connects()), .open(["s": 1]), .client(.closes), .open([:]), .refused(1)]),
    Script(
      "who waits does not hold up who comes later",
      [
        .serve([.silent("s"), "a"]), .client(.connects()), .open(["s": 1]), .clock, .holds(["a"], first: 2),
        .exchange(1_000, [2]), .took(atLeast: .zero, atMost: .seconds(30)), .serve(["a"]), .accepted(by: "a"),
      ], adjust: forever),
    Script(
      "one that accepts and resets has had the connection: no other is tried",
      [
        .serve(["a", "b"]), .holds(["a"], first: 1), .client(.sends("x")), .server(.sees("x")), .server(.resets),
        .client(.seesReset),
        .nobodyAccepts(for: .milliseconds(50)), .failures([:]), .totals(["a": 1]),
      ]),
    Script(
      "one that stops is left for the others, and had its connections",
      [
        .serve(["a", "b"]), .holds(["a", "b"], first: 1), .stop("a"), .visits(["b", "b"]), .failures(["a": 2]),
        .exchange(1_000, [1, 2]),
      ]),
    Script(
      "one that comes back at its old place is met again",
      [.serve([.refusing("x"), "a"]), .visits(["a"]), .serve(["x", "a"]), .visits(["x", "a", "x"])]),
  ]
}
