// SPDX-License-Identifier: Apache-2.0

extension Script {
  static let turns: [Script] = [
    Script(
      "round robin is exact",
      [.serve(["a", "b", "c"]), .visits(["a", "b", "c", "a", "b", "c", "a"]), .totals(["a": 3, "b": 2, "c": 2])]),
    Script(
      "each listener has turns of its own",
      [
        .serve(["a", "b"]), .serve(["a", "b"], as: "api"), .visits(["a"]), .visits(["a", "b"], to: "api"), .visits(["b", "a"]),
        .visits(["a"], to: "api"),
      ]),
    Script(
      "who stays does not change the turn",
      [.serve(["a", "b"]), .holds(["a", "b", "a"], first: 1), .visits(["b", "a", "b"]), .open(["a": 2, "b": 1])]),
    Script(
      "who has no turn yet waits for it until the others had theirs",
      [.serve(["a", "b"]), .visits(["a"]), .serve(["c", "a", "b"]), .visits(["b", "a", "c", "b", "a", "c"])]),
    Script(
      "a turn ends with its endpoint", [.serve(["a", "b", "c"]), .visits(["a"]), .serve(["a", "c"]), .visits(["c", "a", "c"])]),
    Script(
      "the same table again changes no turn",
      [
        .serve(["a", "b", "c"]), .visits(["a"]), .serve(["a", "b", "c"]), .visits(["b"]), .serve(["a", "b", "c"]),
        .visits(["c", "a"]),
      ]),
    Script(
      "a draining endpoint has no turn until it is ready again",
      [.serve(["a", .draining("b"), "c"]), .visits(["a", "c", "a"]), .serve(["a", "b", "c"]), .visits(["c", "a", "b", "c"])]),
    Script(
      "the turn of one that refuses is the next one's, and no other's",
      [.serve(["a", .refusing("x"), "b"]), .visits(["a", "b", "a", "b"]), .failures(["x": 2]), .totals(["a": 2, "b": 2])]),
    Script(
      "least connections fill up evenly",
      [
        .serve(["a", "b", "c"], by: .leastConnections), .holds(["a", "b", "c", "a", "b", "c"], first: 1),
        .open(["a": 2, "b": 2, "c": 2]),
      ]),
    Script(
      "least connections go where somebody left",
      [
        .serve(["a", "b"], by: .leastConnections), .holds(["a", "b", "a", "b"], first: 1), .client(.closes, 2),
        .server(.closes, 2),
        .client(.closes, 4), .server(.closes, 4), .open(["a": 2, "b": 0]), .holds(["b", "b", "a", "b"], first: 5),
      ]),
    Script(
      "least connections count whom only one side has left",
      [
        .serve(["a", "b"], by: .leastConnections), .holds(["a"], first: 1), .client(.finishes), .server(.seesEnd),
        .holds(["b", "a"], first: 2), .server(.finishes, 3), .client(.seesEnd, 3), .open(["a": 2, "b": 1]),
        .holds(["b"], first: 4),
        .open(["a": 2, "b": 2]),
      ]),
    Script(
      "least connections count those who wait for an endpoint to accept",
      [
        .serve([.silent("s"), "a"], by: .leastConnections), .client(.connects()), .open(["s": 1]), .holds(["a"], first: 2),
        .client(.connects(), 3), .open(["s": 2, "a": 1]), .holds(["a"], first: 4), .serve(["a"], by: .leastConnections),
        .accepted(by: "a", 1), .accepted(by: "a", 3), .open(["a": 4]),
      ], adjust: { $0.connectTimeout = .seconds(60) }),
    Script(
      "least connections know what was open before they were chosen",
      [
        .serve(["a", "b"]), .holds(["a", "b"], first: 1), .client(.closes, 2), .server(.closes, 2), .open(["a": 1]),
        .serve(["a", "b"], by: .leastConnections), .holds(["b", "a", "b"], first: 3),
      ]),
    Script(
      "least connections know what is open to one that comes back",
      [
        .serve(["a", "b"], by: .leastConnections), .holds(["a", "b", "a"], first: 1), .serve(["b"], by: .leastConnections),
        .holds(["b"], first: 4), .serve(["a", "b"], by: .leastConnections), .open(["a": 2, "b": 2]),
        .holds(["b", "a"], first: 5),
      ]),
    Script(
      "the same address meets the same endpoint, on every node and in every release",
      [
        .serve(["a", "b", "c"], by: .ipHash), .visits(["a", "a"], from: "127.0.0.1"), .visits(["c", "c"], from: "127.0.0.2"),
        .visits(["b", "b"], from: "127.0.0.8"), .visits(["b"], from: "127.0.0.20"), .visits(["a"], from: "127.0.0.1"),
      ]),
    Script(
      "an endpoint's end moves its own clients only",
      [
        .serve(["a", "b", "c"], by: .ipHash), .serve(["a", "c"], by: .ipHash), .visits(["a"], from: "127.0.0.1"),
        .visits(["c"], from: "127.0.0.2"), .visits(["c"], from: "127.0.0.8"), .visits(["a"], from: "127.0.0.20"),
        .serve(["c", "b", "a"], by: .ipHash), .visits(["b"], from: "127.0.0.8"), .visits(["b"], from: "127.0.0.20"),
      ]),
    Script(
      "clients of a draining endpoint move, and return to it",
      [
        .serve(["a", "b"], by: .ipHash), .holds(["a"], first: 1), .serve([.draining("a"), "b"], by: .ipHash),
        .visits(["b", "b"]),
        .open(["a": 1]), .serve(["a", "b"], by: .ipHash), .visits(["a"]), .exchange(1_000),
      ]),
    Script(
      "clients of one that refuses meet another, always the same",
      [
        .serve([.refusing("x"), "b", "c"], by: .ipHash), .visits(["b", "b"], from: "127.0.0.1"),
        .visits(["c", "c"], from: "127.0.0.19"),
        .visits(["c"], from: "127.0.0.2"), .visits(["b"], from: "127.0.0.8"), .failures(["x": 4]),
      ]),
    Script(
      "random chooses among the ready ones",
      [.serve([.draining("a"), "b"], by: .random), .visits(Array(repeating: "b", count: 16))]),
    Script(
      "random tries every other one once",
      [.serve([.refusing("x"), "a", .refusing("y")], by: .random), .visits(Array(repeating: "a", count: 16))]),
    Script(
      "any strategy can follow any other while connections are open, and none is dropped",
      [
        .serve(["a"]), .holds(["a"], first: 1), .serve(["a"], by: .leastConnections), .holds(["a"], first: 2),
        .serve(["a"], by: .ipHash),
        .holds(["a"], first: 3), .serve(["a"], by: .random), .holds(["a"], first: 4), .serve(["a"]), .open(["a": 4]),
        .exchange(10_000, [1, 2, 3, 4]),
        .open([:]), .totals(["a": 4]),
      ]),
  ]
}
