// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import DataPlane

@Suite("Starting the relay")
struct StartingTests {
  @Test("is immediate after one death, and slower while it keeps dying")
  func backoff() {
    var backoff = RestartBackoff()
    let second: UInt64 = 1_000_000_000
    #expect(backoff.delay(now: 0) == 0)
    var delays: [UInt64] = []
    for _ in 0..<10 {
      backoff.started(at: second)
      delays.append(backoff.delay(now: second + 1) / 1_000_000)
    }
    #expect(delays == [0, 50, 100, 200, 400, 800, 1600, 3200, 5000, 5000])
    // One that lived long enough is forgiven.
    #expect(backoff.delay(now: 12 * second) == 0)
    backoff.started(at: 12 * second)
    #expect(backoff.delay(now: 13 * second) == 0)
  }

  @Test(
    "puts it in a control group beside skepd's",
    arguments: [
      ("0::/system.slice/skepd.service\n", ["/sys/fs/cgroup"], ["/sys/fs/cgroup/system.slice/skep-relay"]),
      ("0::/\n", ["/sys/fs/cgroup"], ["/sys/fs/cgroup/skep-relay"]),
      (
        "12:cpu:/a\n1:name=systemd:/system.slice/skepd.service\n0::/system.slice/skepd.service\n",
        ["/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"],
        ["/sys/fs/cgroup/systemd/system.slice/skep-relay", "/sys/fs/cgroup/unified/system.slice/skep-relay"]
      ),
      ("9:memory:/x\n", ["/sys/fs/cgroup"], []),
      ("nonsense\n", ["/sys/fs/cgroup"], []),
    ] as [(String, [String], [String])])
  func controlGroup(lines: String, mounted: [String], directories: [String]) {
    let found = ControlGroup.directories(cgroup: lines) { path in mounted.contains { $0 + "/cgroup.procs" == path } }
    #expect(found == directories)
  }
}

@Suite("A relay that somebody else starts")
struct RelayAbsenceTests {
  @Test("is looked for closely at first, then ten times a second, and its absence is told once")
  func absence() {
    var absence = RelayAbsence()
    let second: UInt64 = 1_000_000_000
    let looks = [0, second / 2, second, 4 * second, 5 * second, 6 * second].map { absence.missed(at: 7 * second + $0) }
    #expect(
      zip(looks, [0, second / 2, second, 4 * second, 5 * second, 6 * second]).map { $0.next - 7 * second - $1 }
        == [2_000_000, 2_000_000, 100_000_000, 100_000_000, 100_000_000, 100_000_000])
    #expect(looks.map(\.isLong) == [false, false, false, false, true, false])
  }
}

@Suite("The relay's command line")
struct ArgumentTests {
  @Test("takes a control path and a pid file")
  func run() {
    guard case .run(let configuration) = Arguments.parse(["--pid-file", "/p", "--control", "/c"]) else {
      Issue.record("not accepted")
      return
    }
    #expect(configuration.controlPath == "/c")
    #expect(configuration.pidFile == "/p")
  }

  @Test(
    "takes the number of threads from its arguments, else from the environment, else from the machine",
    arguments: [
      (["--threads", "3"], "2", 3), ([], "2", 2), ([], nil, Relay.standardThreads),
    ] as [([String], String?, Int)])
  func threads(arguments: [String], variable: String?, expected: Int) {
    let environment = variable.map { ["SKEP_RELAY_THREADS": $0] } ?? [:]
    guard case .run(let configuration) = Arguments.parse(["--control", "/c"] + arguments, environment: environment) else {
      Issue.record("not accepted")
      return
    }
    #expect(configuration.threads == expected)
  }

  @Test(
    "refuses what it does not know",
    arguments: [
      ([], "--control is missing"), (["--control"], "--control needs a path"),
      (["--control", "/c", "--fast"], "unknown argument --fast"),
      (["--control", "/c", "x"], "unknown argument x"), (["--pid-file", ""], "--pid-file needs a path"),
      (["--control", "/c", "--threads"], "--threads needs a number"),
      (["--control", "/c", "--threads", "0"], "0 is not a number of threads, which is 1 to 64"),
    ] as [([String], String)])
  func refused(arguments: [String], reason: String) {
    guard case .refuse(let text) = Arguments.parse(arguments) else {
      Issue.record("accepted")
      return
    }
    #expect(text == reason)
  }

  @Test(
    "tells its version and its usage", arguments: [("--version", "skep-relay \(Relay.release)"), ("--help", Arguments.usage)])
  func said(argument: String, text: String) {
    guard case .say(text) = Arguments.parse([argument]) else {
      Issue.record("not told")
      return
    }
  }
}
