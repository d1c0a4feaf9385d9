// SPDX-License-Identifier: Apache-2.0

private let toA: [Step] = [.serve(["a"]), .holds(["a"], first: 1)]

extension Script {
  static let ends: [Script] = [
    Script(
      "the client's, and the endpoint goes on to answer",
      toA + [
        .client(.sends("question")), .client(.finishes), .server(.sees("question")), .server(.seesEnd), .server(.sends("answer")),
        .client(.sees("answer")), .client(.seesNothing(for: .milliseconds(50))), .server(.finishes), .client(.seesEnd),
        .bytes(in: 8, out: 6), .open([:]),
      ]),
    Script(
      "the endpoint's, and the client goes on",
      toA + [
        .server(.sends("all I say")), .server(.finishes), .client(.sees("all I say")), .client(.seesEnd), .client(.sends("one")),
        .server(.sees("one")), .client(.sends("two")), .server(.sees("two")), .open(["a": 1]), .client(.finishes),
        .server(.seesEnd), .open([:]),
      ]),
    Script(
      "both at once, each after the last byte",
      toA + [
        .client(.sends("up")), .server(.sends("down")), .client(.finishes), .server(.finishes), .client(.sees("down")),
        .client(.seesEnd),
        .server(.sees("up")), .server(.seesEnd), .open([:]), .bytes(in: 2, out: 4),
      ]),
    Script(
      "both at once, without a byte",
      toA + [.client(.finishes), .server(.finishes), .client(.seesEnd), .server(.seesEnd), .open([:])]),
    Script(
      "of a client that says nothing", toA + [.client(.finishes), .server(.seesEnd), .server(.sends("a")), .client(.sees("a"))]),
    Script(
      "of an endpoint that says nothing",
      toA + [.server(.finishes), .client(.seesEnd), .client(.sends("a")), .server(.sees("a"))]),
    Script(
      "of a client that was gone before anybody accepted",
      [
        .serve(["a"]), .client(.connects()), .client(.sends("hello")), .client(.closes), .accepted(by: "a"),
        .server(.sees("hello")), .server(.seesEnd),
      ]),
    Script(
      "an end alone ends nothing, however long it takes",
      toA + [
        .client(.finishes), .server(.seesEnd), .client(.seesNothing(for: .milliseconds(600))), .open(["a": 1]),
        .server(.sends("late")),
        .client(.sees("late")),
      ]),
    Script(
      "the client's, behind all that the endpoint has not read",
      toA + [
        .client(.sendsUntilStalled(below: 24 << 20)), .client(.finishes), .open(["a": 1]), .server(.seesWhatStalled),
        .server(.seesEnd),
        .server(.sends("thanks")), .client(.sees("thanks")),
      ]),
    Script(
      "the endpoint's, behind all that the client has not read",
      toA + [
        .server(.sendsUntilStalled(below: 24 << 20)), .server(.finishes), .client(.sends("still here")),
        .server(.sees("still here")),
        .client(.seesWhatStalled), .client(.seesEnd),
      ]),
    Script(
      "both, behind what neither has read",
      toA + [
        .server(.sendsUntilStalled(below: 24 << 20)), .client(.sendsUntilStalled(below: 24 << 20)), .server(.finishes),
        .client(.finishes),
        .client(.seesWhatStalled), .client(.seesEnd), .server(.seesWhatStalled), .server(.seesEnd), .open([:]),
      ]),
    Script(
      "the client's, said while it was given to one that never answers",
      [
        .serve([.silent("s"), "a"]), .client(.connects()), .client(.sends("early")), .client(.finishes), .open(["s": 1]),
        .accepted(by: "a"),
        .server(.sees("early")), .server(.seesEnd), .server(.sends("answer")), .client(.sees("answer")), .failures(["s": 1]),
      ]),
    Script(
      "the client's close, which a later word of the endpoint turns into a reset",
      toA + [.client(.closes), .server(.seesEnd), .server(.sends("anybody?")), .server(.seesReset), .open([:])]),
    Script(
      "the endpoint's close, which a later word of the client turns into a reset",
      toA + [.server(.closes), .client(.seesEnd), .client(.sends("anybody?")), .client(.seesReset), .open([:])]),
    Script(
      "both have left, and all is forgotten",
      toA + [.client(.closes), .server(.seesEnd), .server(.closes), .open([:]), .totals(["a": 1])]),
  ]

  static let resets: [Script] = [
    Script("the client's, before a word", toA + [.client(.resets), .server(.seesReset), .open([:])]),
    Script("the endpoint's, before a word", toA + [.server(.resets), .client(.seesReset), .open([:])]),
    Script(
      "the client's, after what it said",
      toA + [.client(.sends("abc")), .server(.sees("abc")), .client(.resets), .server(.seesReset), .bytes(in: 3, out: 0)]),
    Script(
      "the endpoint's, after what it said",
      toA + [.server(.sends("abc")), .client(.sees("abc")), .server(.resets), .client(.seesReset), .bytes(in: 0, out: 3)]),
    Script(
      "the endpoint's, which cuts what it sent itself only where the kernel did",
      toA + [
        .client(.sends("x")), .server(.sees("x")), .server(.sends("last words")), .client(.sees("last words")),
        .client(.sends("y")), .server(.sees("y")), .server(.resets), .client(.seesReset),
      ]),
    Script(
      "the client's, with much on the way to it",
      toA + [.server(.sendsUntilStalled(below: 24 << 20)), .client(.resets), .server(.seesReset), .open([:])]),
    Script(
      "the endpoint's, with much on the way to it",
      toA + [.client(.sendsUntilStalled(below: 24 << 20)), .server(.resets), .client(.seesReset), .open([:])]),
    Script(
      "the client's, after its end",
      toA + [
        .client(.sends("abc")), .client(.finishes), .server(.sees("abc")), .server(.seesEnd), .client(.resets),
        .server(.seesReset), .open([:]),
      ]),
    Script(
      "the endpoint's, after the client's end",
      toA + [.client(.finishes), .server(.seesEnd), .server(.resets), .client(.seesReset), .open([:])]),
    Script(
      "the client's, after the endpoint's end",
      toA + [.server(.finishes), .client(.seesEnd), .client(.resets), .server(.seesReset), .open([:])]),
    Script(
      "an answer to an upload that is refused comes before the reset",
      toA + [
        .client(.sends(.pattern(100_000))), .server(.sees(.pattern(8))), .server(.sends("too large")), .server(.closes),
        .client(.sees("too large")), .client(.seesReset), .open([:]),
      ]),
    Script(
      "one connection's is nobody else's",
      [
        .serve(["a"]), .holds(["a", "a", "a"], first: 1), .client(.resets, 2), .server(.seesReset, 2), .exchange(10_000, [1, 3]),
      ]),
    Script(
      "the client's, before anybody accepted",
      [.serve(["a"]), .client(.connects()), .client(.resets), .accepted(by: "a"), .server(.seesReset), .open([:])]),
  ]
}
