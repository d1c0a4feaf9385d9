// SPDX-License-Identifier: Apache-2.0

import Balancing
import DataPlane

private func atMost(_ connections: UInt32) -> ListenerLimits { ListenerLimits(connections: connections) }
private func idle(_ milliseconds: Int) -> ListenerLimits { ListenerLimits(idle: .milliseconds(milliseconds)) }
private let patient: @Sendable (inout Relay.Configuration) -> Void = { $0.queuePatience = .seconds(60) }

extension Script {
  static let limits: [Script] = [
    Script(
      "who comes to a full listener waits, and has lost nothing when a place comes free",
      [
        .serve(["a"], limits: atMost(2)), .holds(["a", "a"], first: 1), .client(.connects(), 3), .client(.sends("early"), 3),
        .nobodyAccepts(for: .milliseconds(150)), .client(.closes, 1), .server(.closes, 1), .accepted(by: "a", 3),
        .server(.sees("early"), 3), .exchange(1_000, [2, 3]), .refused(0),
      ], adjust: patient),
    Script(
      "who waited a second is reset, and not before",
      [
        .serve(["a"], limits: atMost(1)), .holds(["a"], first: 1), .clock, .client(.connects(), 2),
        .client(.seesNothing(for: .milliseconds(950)), 2), .client(.seesReset, 2), .took(atLeast: .seconds(1)), .refused(1),
        .exchange(1_000), .open([:]), .visits(["a"]),
      ]),
    Script(
      "each waits a second of its own",
      [
        .serve(["a"], limits: atMost(1)), .holds(["a"], first: 1), .clock, .client(.connects(), 2),
        .client(.seesNothing(for: .milliseconds(600)), 2), .client(.connects(), 3), .client(.seesReset, 2),
        .took(atLeast: .seconds(1)),
        .client(.seesNothing(for: .milliseconds(200)), 3), .client(.seesReset, 3), .took(atLeast: .milliseconds(1_600)),
        .refused(2),
      ]),
    Script(
      "places are given in the order of those who wait",
      [
        .serve(["a"], limits: atMost(1)), .holds(["a"], first: 1), .client(.connects(), 2), .client(.sends("2"), 2),
        .client(.connects(), 3), .client(.sends("3"), 3), .client(.connects(), 4), .client(.sends("4"), 4),
        .nobodyAccepts(for: .milliseconds(50)), .client(.closes, 1), .server(.closes, 1), .accepted(by: "a", 2),
        .server(.sees("2"), 2),
        .nobodyAccepts(for: .milliseconds(50)), .client(.closes, 2), .server(.closes, 2), .accepted(by: "a", 3),
        .server(.sees("3"), 3), .client(.resets, 3), .server(.seesReset, 3), .accepted(by: "a", 4), .server(.sees("4"), 4),
        .refused(0),
      ], adjust: patient),
    Script(
      "a full listener is nothing to another",
      [
        .serve(["a"], limits: atMost(1)), .serve(["b"], as: "api"), .holds(["a"], first: 1), .client(.connects(), 2),
        .visits(["b", "b", "b", "b", "b", "b"], to: "api"), .client(.connects(to: "api"), 3), .accepted(by: "b", 3),
        .exchange(10_000, [1, 3]), .accepted(by: "a", 2), .exchange(10, [2]), .refused(0),
      ], adjust: patient),
    Script(
      "a higher limit lets in who waits",
      [
        .serve(["a"], limits: atMost(1)), .holds(["a"], first: 1), .client(.connects(), 2),
        .nobodyAccepts(for: .milliseconds(50)),
        .serve(["a"], limits: atMost(2)), .accepted(by: "a", 2), .client(.connects(), 3), .nobodyAccepts(for: .milliseconds(50)),
        .serve(["a"]), .accepted(by: "a", 3), .open(["a": 3]), .refused(0),
      ], adjust: patient),
    Script(
      "a lower limit cuts nobody",
      [
        .serve(["a"]), .holds(["a", "a", "a"], first: 1), .serve(["a"], limits: atMost(1)), .client(.connects(), 4),
        .exchange(1_000, [1, 2]), .nobodyAccepts(for: .milliseconds(50)), .exchange(1_000, [3]), .accepted(by: "a", 4),
        .refused(0),
      ], adjust: patient),
    Script(
      "who waits for an endpoint has a place",
      [
        .serve([.silent("s")], limits: atMost(1)), .client(.connects()), .open(["s": 1]), .client(.connects(), 2),
        .serve(["a"], limits: atMost(1)),
        .accepted(by: "a"), .nobodyAccepts(for: .milliseconds(50)), .client(.closes), .server(.closes), .accepted(by: "a", 2),
      ],
      adjust: {
        $0.connectTimeout = .seconds(60)
        $0.queuePatience = .seconds(60)
      }),
    Script(
      "whom no endpoint takes gives the place back",
      [
        .serve([.refusing("x")], limits: atMost(1)), .client(.connects()), .client(.seesReset), .client(.connects(), 2),
        .client(.seesReset, 2), .refused(2), .serve(["a"], limits: atMost(1)), .visits(["a"]),
      ]),
    Script(
      "a full relay lets wait and refuses on every listener",
      [
        .serve(["a"]), .serve(["b"], as: "api"), .holds(["a", "a"], first: 1), .clock, .client(.connects(), 3),
        .client(.connects(to: "api"), 4), .client(.seesNothing(for: .milliseconds(950)), 3), .client(.seesReset, 3),
        .client(.seesReset, 4), .took(atLeast: .seconds(1)), .refused(1), .refused(1, by: "api"), .exchange(1_000, [1, 2]),
        .open([:]),
        .visits(["b"], to: "api"),
      ], adjust: { $0.connectionLimit = 2 }),
    Script(
      "a full relay serves who waits when a place comes free, on whichever listener",
      [
        .serve(["a"]), .serve(["b"], as: "api"), .holds(["a"], first: 1), .client(.connects(to: "api"), 2),
        .nobodyAccepts(for: .milliseconds(50)), .client(.closes, 1), .server(.closes, 1), .accepted(by: "b", 2),
        .exchange(1_000, [2]),
      ],
      adjust: {
        $0.connectionLimit = 1
        $0.queuePatience = .seconds(60)
      }),
    Script(
      "datagrams of one client too many are nobody's, and those of the others go on",
      [
        .serve(["a"], over: .udp, limits: atMost(1)), .client(.connects()), .client(.sends("x")), .accepted(by: "a"),
        .server(.sees("x")),
        .client(.connects(), 2), .client(.sends("y"), 2), .refused(1), .client(.sends("z")), .server(.sees("z")),
        .nobodyAccepts(for: .milliseconds(50)),
      ]),
  ]

  static let silence: [Script] = [
    Script(
      "who carries nothing for the listener's time is cut, and not before",
      [
        .serve(["a"], limits: idle(600)), .clock, .holds(["a"], first: 1), .client(.seesNothing(for: .milliseconds(500))),
        .client(.seesReset),
        .server(.seesReset), .took(atLeast: .milliseconds(600)), .open([:]),
      ]),
    Script(
      "who says a little now and then is not cut",
      [.serve(["a"], limits: idle(1_500)), .holds(["a"], first: 1)]
        + (1...4).flatMap { number -> [Step] in
          [
            .client(.seesNothing(for: .milliseconds(500))), number % 2 == 0 ? .client(.sends("x")) : .server(.sends("y")),
            number % 2 == 0 ? .server(.sees("x")) : .client(.sees("y")),
          ]
        }),
    Script(
      "one listener's time is not another's",
      [
        .serve(["a"], limits: idle(200)), .serve(["b"], as: "api"), .client(.connects(to: "api"), 2), .accepted(by: "b", 2),
        .holds(["a"], first: 1), .client(.seesReset), .client(.seesNothing(for: .milliseconds(300)), 2), .exchange(100, [2]),
      ]),
    Script(
      "a time that is set later counts for who is there",
      [
        .serve(["a"]), .holds(["a"], first: 1), .client(.seesNothing(for: .milliseconds(300))), .serve(["a"], limits: idle(300)),
        .client(.seesReset),
        .server(.seesReset),
      ]),
    Script(
      "a client that has vanished is noticed when there are bytes for it",
      [
        .serve(["a"]), .clock, .holds(["a"], first: 1), .client(.vanishes), .server(.sends("anybody?")),
        .server(.seesNothing(for: .milliseconds(400))),
        .server(.seesReset), .took(atLeast: .milliseconds(500)), .open([:]),
      ], adjust: vanish),
    Script(
      "an endpoint that has vanished is noticed when there are bytes for it",
      [
        .serve(["a"]), .clock, .holds(["a"], first: 1), .server(.vanishes), .client(.sends("anybody?")), .client(.seesReset),
        .took(atLeast: .milliseconds(500)), .open([:]),
      ], adjust: vanish),
    Script(
      "who only is silent has not vanished",
      [
        .serve(["a"]), .holds(["a"], first: 1), .client(.sends("x")), .server(.sees("x")),
        .client(.seesNothing(for: .milliseconds(1_200))),
        .client(.sends("y")), .server(.sees("y")), .server(.sends("z")), .client(.sees("z")),
      ], adjust: vanish),
  ]

  private static let vanish: @Sendable (inout Relay.Configuration) -> Void = {
    $0.vanishTimeout = .milliseconds(500)
    $0.sweepInterval = .milliseconds(50)
  }
}
