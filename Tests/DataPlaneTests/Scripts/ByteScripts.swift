// SPDX-License-Identifier: Apache-2.0

private let toA: [Step] = [.serve(["a"]), .holds(["a"], first: 1)]
/// More than all buffers between two peers can take.
private let tooMuch = 24 << 20

extension Script {
  static let bytes: [Script] = [
    Script(
      "an endpoint that speaks first is heard",
      toA + [.server(.sends("220 ready")), .client(.sees("220 ready")), .client(.sends("HELO")), .server(.sees("HELO"))]),
    Script(
      "an endpoint is met before its client says a word",
      [
        .serve(["a"]), .client(.connects()), .accepted(by: "a"), .client(.seesNothing(for: .milliseconds(50))),
        .server(.seesNothing(for: .milliseconds(50))),
      ]),
    Script(
      "what a client says before anybody accepted is kept",
      [
        .serve(["a"]), .client(.connects()), .client(.sends(.pattern(50_000))), .accepted(by: "a"),
        .server(.sees(.pattern(50_000))),
      ]),
    Script(
      "questions and answers take turns",
      toA
        + (1...50).flatMap {
          [
            .client(.sends(.literal("question \($0)"))), .server(.sees(.literal("question \($0)"))),
            .server(.sends(.literal("answer \($0)"))), .client(.sees(.literal("answer \($0)"))),
          ]
        }),
    Script(
      "segments of one byte are passed on as they come",
      toA
        + (0..<100).flatMap {
          [
            .client(.sends(.literal("\($0 % 10)"))), .server(.sees(.literal("\($0 % 10)"))),
            .server(.sends(.literal("\($0 % 7)"))), .client(.sees(.literal("\($0 % 7)"))),
          ]
        } + [.bytes(in: 100, out: 100)]),
    Script(
      "a thousand small pieces are one stream",
      toA + (0..<1_000).map { .client(.sends(.pattern(1 + $0 % 9, seed: UInt64($0)))) }
        + (0..<1_000).map { .server(.sees(.pattern(1 + $0 % 9, seed: UInt64($0)))) }),
    Script(
      "urgent data does not disturb the stream",
      toA + [
        .client(.sends("ab")), .client(.sendsUrgent(0x21)), .client(.sends("cd")), .server(.sees("abcd")), .server(.sends("ef")),
        .server(.sendsUrgent(0x21)), .server(.finishes), .client(.sees("ef")), .client(.seesEnd),
      ]),
    Script(
      "urgent data alone is nothing",
      toA + [
        .client(.sendsUrgent(0x21)), .server(.seesNothing(for: .milliseconds(50))), .client(.sends("x")), .server(.sees("x")),
        .client(.finishes), .server(.seesEnd),
      ]),
    Script(
      "who says nothing stays connected",
      toA + [
        .client(.seesNothing(for: .milliseconds(1_500))), .open(["a": 1]), .client(.sends("x")), .server(.sees("x")),
        .server(.sends("y")), .client(.sees("y")),
      ], adjust: { $0.sessionTimeouts.answered = .milliseconds(100) }),
    Script("16 MiB both ways at once", toA + [.exchange(16 << 20), .open([:]), .bytes(in: 16 << 20, out: 16 << 20)]),
    Script(
      "eight conversations at once, each its own bytes",
      [
        .serve(["a", "b"]), .holds(["a", "b", "a", "b", "a", "b", "a", "b"], first: 1), .exchange(1 << 20, Array(1...8)),
        .bytes(in: 8 << 20, out: 8 << 20),
      ]),
    Script("nothing both ways", toA + [.exchange(0), .bytes(in: 0, out: 0), .totals(["a": 1])]),
    Script("one byte more than the relay's buffer", toA + [.exchange(65_537)]),
    Script(
      "a slow client holds its fast endpoint up, and gets everything",
      toA + [
        .server(.sendsUntilStalled(below: tooMuch)), .client(.seesWhatStalled), .server(.sends("more")), .client(.sees("more")),
      ]),
    Script(
      "a slow endpoint holds its fast client up, and gets everything",
      toA + [
        .client(.sendsUntilStalled(below: tooMuch)), .server(.seesWhatStalled), .client(.sends("more")), .server(.sees("more")),
      ]),
    Script(
      "two who only talk hold each other up, and lose nothing",
      toA + [
        .client(.sendsUntilStalled(below: tooMuch)), .server(.sendsUntilStalled(below: tooMuch)), .server(.seesWhatStalled),
        .client(.seesWhatStalled), .exchange(1_000),
      ]),
    Script(
      "who is slow in one direction is fast in the other",
      toA + [
        .server(.sendsUntilStalled(below: tooMuch)), .client(.sends(.pattern(1_000_000))), .server(.sees(.pattern(1_000_000))),
        .client(.seesWhatStalled),
      ]),
    Script(
      "who is slow holds up nobody else",
      [
        .serve(["a"]), .holds(["a", "a", "a"], first: 1), .server(.sendsUntilStalled(below: tooMuch), 1),
        .client(.sendsUntilStalled(below: tooMuch), 2), .exchange(1 << 20, [3]), .client(.seesWhatStalled, 1),
        .server(.seesWhatStalled, 2),
      ]),
    Script(
      "a client that stops again and again gets everything",
      toA + [.server(.sendsUntilStalled(below: tooMuch)), .client(.seesWhatStalled)]
        + (1...4).flatMap { round -> [Step] in
          let text = Text.pattern(1 << 20, seed: UInt64(round))
          return [.server(.sends(text)), .client(.sees(text))]
        } + [.server(.finishes), .client(.seesEnd)]),
  ]
}
