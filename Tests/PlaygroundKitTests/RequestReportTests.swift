// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import PlaygroundKit

@Suite struct RequestReportTests {
  @Test("Bodies are counted by what they say, failures by their reason")
  func counts() {
    let report = RequestReport(
      load: """
        answer 2 one
        answer 1 two words
        answer 1 \n
        failure 1 status 503
        failure 2 refused at connect
        connections 5

        """)
    #expect(report?.answers == ["one": 2, "two words": 1, "": 1])
    #expect(report?.failures == ["status 503": 1, "refused at connect": 2])
    #expect(report?.succeeded == 4)
    #expect(report?.failed == 3)
    #expect(report?.connections == 5)
  }

  @Test("Reports add up")
  func adding() throws {
    var sum = try #require(RequestReport(load: "answer 2 one\nfailure 1 x\nconnections 3"))
    sum.add(try #require(RequestReport(load: "answer 1 one\nanswer 1 two\nfailure 1 y\nconnections 1")))
    #expect(sum.answers == ["one": 3, "two": 1])
    #expect(sum.failures == ["x": 1, "y": 1])
    #expect(sum.connections == 4)
  }

  @Test("What is no report is told", arguments: ["answer many one", "load: bad arguments", "answer"])
  func nonsense(_ text: String) {
    #expect(RequestReport(load: text) == nil)
  }
}
