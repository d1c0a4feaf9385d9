// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ClusterModel

@Suite("Go durations")
struct GoDurationTests {
  @Test(
    "are read and printed as Go does",
    arguments: [
      ("30s", 30_000_000_000, "30s"), ("1m30s", 90_000_000_000, "1m30s"), ("60s", 60_000_000_000, "1m0s"), ("0", 0, "0s"),
      ("1.5h", 5_400_000_000_000, "1h30m0s"), ("300ms", 300_000_000, "300ms"), (".5s", 500_000_000, "500ms"),
      ("1us", 1_000, "1µs"),
      ("1µs", 1_000, "1µs"), ("-1.5s", -1_500_000_000, "-1.5s"), ("+5ns", 5, "5ns"),
      ("1h1ns", 3_600_000_000_001, "1h0m0.000000001s"),
      ("0.1s", 100_000_000, "100ms"), ("1.0000001s", 1_000_000_100, "1.0000001s"),
    ])
  func read(text: String, nanoseconds: Int64, printed: String) {
    #expect(GoDuration(text)?.nanoseconds == nanoseconds)
    #expect(GoDuration(nanoseconds: nanoseconds).description == printed)
  }

  @Test(
    "what Go refuses is refused",
    arguments: ["", "3", "-", "s", ".s", "1x", "1s ", " 1s", "1.2.3s", "9999999999h", "99999999999999999999s", "1S"])
  func refused(text: String) { #expect(GoDuration(text) == nil) }
}
