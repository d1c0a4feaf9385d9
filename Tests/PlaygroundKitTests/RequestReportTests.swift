// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import PlaygroundKit

@Suite struct RequestReportTests {
  @Test("Bodies are counted by what they say, failures by their reason")
  func counts() {
    let mark = RequestReport.mark
    let report = RequestReport(
      curl: """
        one

        \(mark)200 0\u{20}
        two

        one
        \(mark)200 0\u{20}

        \(mark)503 22 The requested URL returned error: 503
        \(mark)200 0\u{20}

        \(mark)000 7 Failed to connect
        \(mark)000 7 Failed to connect
        """)
    #expect(report.answers == ["one": 2, "two": 1])
    #expect(report.failures == ["The requested URL returned error: 503": 1, "Failed to connect": 2])
    #expect(report.succeeded == 3)
    #expect(report.failed == 3)
  }
}
