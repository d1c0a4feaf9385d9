// SPDX-License-Identifier: Apache-2.0

import DataPlane

private func ask(_ number: Int, _ text: Text) -> [Step] {
  [.client(.sends(text), number), .server(.sees(text), number), .server(.sends("re"), number), .client(.sees("re"), number)]
}

/// A new client whose first datagram goes to the endpoint.
private func come(_ number: Int, _ endpoint: String, to listener: String = "web") -> [Step] {
  [
    .client(.connects(to: listener), number), .client(.sends("hi"), number), .accepted(by: endpoint, number),
    .server(.sees("hi"), number),
  ]
}

private func timeouts(unanswered: Int, answered: Int, draining: Int = 60_000) -> @Sendable (inout Relay.Configuration) -> Void {
  {
    $0.sessionTimeouts.unanswered = .milliseconds(unanswered)
    $0.sessionTimeouts.answered = .milliseconds(answered)
    $0.sessionTimeouts.draining = .milliseconds(draining)
  }
}

extension Script {
  static let datagrams: [Script] = [
    Script(
      "by turns, and then always to the same",
      [.serve(["a", "b"], over: .udp)] + come(1, "a") + come(2, "b") + come(3, "a") + ask(2, "x") + ask(1, "y") + ask(2, "z") + [
        .open(["a": 2, "b": 1]), .totals(["a": 2, "b": 1]),
      ]),
    Script(
      "each as it is, empty ones too",
      [.serve(["a"], over: .udp)] + come(1, "a") + ask(1, "") + ask(1, .pattern(1_472)) + ask(1, .pattern(60_000)) + ask(1, "x")),
    Script(
      "as many answers as there are, in their order",
      [.serve(["a"], over: .udp)] + come(1, "a") + [
        .server(.sends("1")), .server(.sends("2")), .server(.sends("3")), .client(.sees("1")), .client(.sees("2")),
        .client(.sees("3")), .client(.seesNothing(for: .milliseconds(50))),
      ]),
    Script(
      "one that nobody answers is forgotten at its time, and not before",
      [.serve(["a", "b"], over: .udp), .clock] + come(1, "a") + [
        .open([:]), .took(atLeast: .milliseconds(400)), .client(.sends("again")), .accepted(by: "b", 2),
        .server(.sees("again"), 2),
      ], adjust: timeouts(unanswered: 400, answered: 60_000)),
    Script(
      "one that is answered stays for longer",
      [.serve(["a", "b"], over: .udp)] + come(1, "a") + [
        .server(.sends("re")), .client(.sees("re")), .client(.seesNothing(for: .milliseconds(700))), .open(["a": 1]),
      ] + ask(1, "x") + [.open(["a": 1])], adjust: timeouts(unanswered: 100, answered: 60_000)),
    Script(
      "one that is answered is forgotten when both are silent for its time",
      [.serve(["a", "b"], over: .udp)] + come(1, "a") + [
        .clock, .server(.sends("re")), .client(.sees("re")), .open([:]), .took(atLeast: .milliseconds(400)),
        .client(.sends("again")), .accepted(by: "b", 2), .server(.sees("again"), 2),
      ], adjust: timeouts(unanswered: 60_000, answered: 400)),
    Script(
      "from an endpoint that leaves the table to another",
      [.serve(["a"], over: .udp)] + come(1, "a") + [
        .serve(["b"], over: .udp), .client(.sends("next")), .accepted(by: "b", 2), .server(.sees("next"), 2),
        .server(.sends("re"), 2), .client(.sees("re")),
      ]),
    Script(
      "of who speaks on with a draining endpoint stay there, others' do not",
      [.serve(["a"], over: .udp)] + come(1, "a") + [.serve([.draining("a"), "b"], over: .udp)] + come(2, "b") + ask(1, "x")
        + ask(1, "y") + [.open(["a": 1, "b": 1])]),
    Script(
      "of who is silent with a draining endpoint go to another",
      [.serve(["a"], over: .udp)] + come(1, "a") + [
        .server(.sends("re")), .client(.sees("re")), .serve([.draining("a"), "b"], over: .udp), .open(["a": 0]),
        .client(.sends("late")), .accepted(by: "b", 2), .server(.sees("late"), 2),
      ], adjust: timeouts(unanswered: 60_000, answered: 60_000, draining: 300)),
    Script(
      "without an endpoint are nobody's, and counted",
      [
        .serve([], over: .udp), .client(.connects()), .client(.sends("x")), .client(.sends("y")), .refused(2),
        .client(.seesNothing(for: .milliseconds(50))), .serve(["a"], over: .udp), .client(.sends("z")), .accepted(by: "a"),
        .server(.sees("z")),
      ]),
    Script(
      "to an address where nobody listens fail once, then go elsewhere",
      [
        .serve([.refusing("x"), "a"], over: .udp), .client(.connects()), .client(.sends("lost")), .failures(["x": 1]),
        .client(.sends("found")), .accepted(by: "a"), .server(.sees("found")),
      ]),
    Script(
      "and connections of one service are two listeners",
      [.serve(["a"], over: .udp), .serve(["b"], as: "api")] + come(1, "a") + [
        .client(.connects(to: "api"), 2), .accepted(by: "b", 2), .exchange(1_000, [2]),
      ] + ask(1, "x")),
  ]
}
