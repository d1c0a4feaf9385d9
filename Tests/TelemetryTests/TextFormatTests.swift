// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Telemetry

@Suite("Prometheus' text format")
struct TextFormatTests {
  private static func text(_ families: [MetricFamily]) -> String {
    String(decoding: TextFormat.bytes(of: families), as: UTF8.self)
  }

  @Test("has help, type and a line for each series")
  func numbers() {
    var refused = MetricFamily(.listenerRefused)
    refused.add([.init("service", "web"), .init("reason", "no-endpoint")], 3)
    refused.add([.init("service", "api"), .init("reason", "no-endpoint")], 0)
    let expected = """
      # HELP skep_lb_relay_up Whether the relay answers. If not, nothing else is told of it.
      # TYPE skep_lb_relay_up gauge
      skep_lb_relay_up 1
      # HELP skep_lb_listener_refused_total Clients turned away.
      # TYPE skep_lb_listener_refused_total counter
      skep_lb_listener_refused_total{service="web",reason="no-endpoint"} 3
      skep_lb_listener_refused_total{service="api",reason="no-endpoint"} 0

      """
    #expect(Self.text([.one(.relayUp, 1), MetricFamily(.listenerUp), refused]) == expected)
  }

  @Test("has a histogram's buckets with their bounds, its sum and its count")
  func histogram() {
    var family = MetricFamily(.endpointLatency)
    family.add(
      [.init("task", "web.1")],
      Histogram(buckets: [.init(bound: 0.00001, count: 1), .init(bound: 0.5, count: 2)], count: 3, sum: 1.25))
    family.add([], Histogram())
    let expected = """
      # HELP skep_lb_endpoint_connect_duration_seconds From the call for a connection until the endpoint had accepted it.
      # TYPE skep_lb_endpoint_connect_duration_seconds histogram
      skep_lb_endpoint_connect_duration_seconds_bucket{task="web.1",le="1e-05"} 1
      skep_lb_endpoint_connect_duration_seconds_bucket{task="web.1",le="0.5"} 2
      skep_lb_endpoint_connect_duration_seconds_bucket{task="web.1",le="+Inf"} 3
      skep_lb_endpoint_connect_duration_seconds_sum{task="web.1"} 1.25
      skep_lb_endpoint_connect_duration_seconds_count{task="web.1"} 3
      skep_lb_endpoint_connect_duration_seconds_bucket{le="+Inf"} 0
      skep_lb_endpoint_connect_duration_seconds_sum 0
      skep_lb_endpoint_connect_duration_seconds_count 0

      """
    #expect(Self.text([family]) == expected)
  }

  @Test(
    "escapes what would end a label",
    arguments: [
      (#"a"b"#, #"a\"b"#), (#"a\b"#, #"a\\b"#), ("a\nb", #"a\nb"#), ("ä, {b} = c", "ä, {b} = c"), ("", ""),
    ])
  func escaping(value: String, escaped: String) throws {
    let page = TextFormat.bytes(of: [.one(.buildInfo, 1, [.init("version", value)])])
    #expect(String(decoding: page, as: UTF8.self).hasSuffix("\nskep_build_info{version=\"\(escaped)\"} 1\n"))
    #expect(try TextFormat.samples(in: page) == [.init(name: "skep_build_info", labels: ["version": value], value: 1)])
  }

  @Test(
    "writes numbers as Go reads them",
    arguments: [
      (0, "0"), (1, "1"), (-2, "-2"), (0.1, "0.1"), (1e-9, "1e-09"), (9_007_199_254_740_992, "9007199254740992"),
      (1e20, "1e+20"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
    ] as [(Double, String)])
  func numbers(value: Double, text: String) { #expect(TextFormat.number(value) == text) }

  @Test("is read back with spaces, comments and times where they may be")
  func parsing() throws {
    let page = """
      # HELP x Something

        # a comment
      x 1
      \tx { a = "1" , b="2", }  2.5e3  1700000000000
      x{}-Inf
      y:z_1{le="+Inf"} NaN
      """
    let samples = try TextFormat.samples(in: Array(page.utf8))
    #expect(
      samples.dropLast() == [
        .init(name: "x", value: 1), .init(name: "x", labels: ["a": "1", "b": "2"], value: 2_500),
        .init(name: "x", value: -.infinity),
      ])
    #expect(samples.last?.name == "y:z_1" && samples.last?.labels == ["le": "+Inf"] && samples.last?.value.isNaN == true)
  }

  @Test(
    "is refused with the line that is none",
    arguments: [
      "x", "x one", "{a=\"1\"} 1", "x{a=\"1\" 1", "x{a=1} 1", "x{a=\"1\"b=\"2\"} 1", "x{a=\"1\",a=\"2\"} 1", "x{a=\"1} 1",
      "x{a=\"\\",
      "x 1 soon", "x{a} 1",
    ])
  func malformed(line: String) {
    #expect(throws: TextFormatError(line: 3)) { try TextFormat.samples(in: Array("ok 1\n# so far\n\(line)\nok 2\n".utf8)) }
  }

  @Test("knows each metric by a name that says what it counts, and in which unit")
  func names() {
    for metric in Metric.allCases {
      #expect(metric.rawValue.allSatisfy { $0 == "_" || ($0.isASCII && $0.isLowercase) }, "\(metric)")
      #expect((metric.kind == .counter) == metric.rawValue.hasSuffix("_total"), "\(metric)")
      #expect(metric.help.hasSuffix("."), "\(metric)")
    }
    #expect(Metric.latencyBounds == Metric.latencyBounds.sorted() && Metric.latencyBounds.count == 31)
    #expect(Metric.latencyBounds.prefix(7) == [10_000, 15_000, 20_000, 30_000, 50_000, 70_000, 100_000])
  }
}
