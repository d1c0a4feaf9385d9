// SPDX-License-Identifier: Apache-2.0

import Glibc

private let toA: [Step] = [.serve(["a"]), .holds(["a"], first: 1)]

extension Script {
  static let processes: [Script] = [
    Script(
      "at SIGTERM it serves on whom it has, and its successor serves those who wait",
      toA + [
        .signal(SIGTERM), .client(.connects(), 2), .client(.sends("waiting"), 2), .client(.sends("x")), .server(.sees("x")),
        .reconnect, .accepted(by: "a", 2), .server(.sees("waiting"), 2), .exchange(100_000, [1, 2]),
      ]),
    Script(
      "at SIGHUP it gives its place to a successor and serves on whom it has",
      toA + [
        .signal(SIGHUP), .reconnect, .holds(["a"], first: 2), .client(.sends("x")), .server(.sees("x")),
        .exchange(100_000, [1, 2]),
      ]),
    Script(
      "at SIGHUP with bytes on the way it gives them all",
      toA + [
        .server(.sendsUntilStalled(below: 24 << 20)), .signal(SIGHUP), .reconnect, .server(.finishes), .client(.seesWhatStalled),
        .client(.seesEnd), .visits(["a"]),
      ]),
    Script(
      "killed, it loses whom it had and nobody else",
      toA + [
        .signal(SIGSTOP), .client(.connects(), 2), .client(.sends("waiting"), 2), .signal(SIGKILL), .client(.seesEnd),
        .server(.seesEnd), .reconnect, .accepted(by: "a", 2), .server(.sees("waiting"), 2), .exchange(1_000, [2]),
      ]),
  ]
}
