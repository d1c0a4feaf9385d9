// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Telemetry

@Suite("skep lb top")
struct LoadTests {
  private static func sample(_ page: String) throws -> LoadSample {
    LoadSample(try TextFormat.samples(in: Array(page.utf8)))
  }

  private static let first = """
    skep_build_info{version="0.1.0"} 1
    skep_lb_relay_up 1
    skep_lb_relay_info{version="0.0.9"} 1
    skep_lb_relay_uptime_seconds 100
    skep_lb_relay_threads 2
    skep_lb_table_generation 7
    skep_lb_open_connections 3
    skep_lb_open_connections_limit 1000
    skep_lb_open_sessions 0
    skep_lb_open_sessions_limit 500
    skep_lb_listener_up{service="web",port="8080/tcp"} 1
    skep_lb_listener_info{service="web",service_id="x",port="8080/tcp",strategy="round-robin"} 1
    skep_lb_listener_open_connections{service="web",port="8080/tcp"} 3
    skep_lb_listener_connections_total{service="web",port="8080/tcp"} 100
    skep_lb_listener_refused_total{service="web",port="8080/tcp",reason="no-endpoint"} 2
    skep_lb_listener_refused_total{service="web",port="8080/tcp",reason="other"} 0
    skep_lb_listener_retries_total{service="web",port="8080/tcp"} 1
    skep_lb_listener_bytes_in_total{service="web",port="8080/tcp"} 1000
    skep_lb_listener_bytes_out_total{service="web",port="8080/tcp"} 5000
    skep_lb_listener_connect_duration_seconds_bucket{service="web",port="8080/tcp",le="0.0001"} 50
    skep_lb_listener_connect_duration_seconds_bucket{service="web",port="8080/tcp",le="0.001"} 90
    skep_lb_listener_connect_duration_seconds_bucket{service="web",port="8080/tcp",le="+Inf"} 100
    skep_lb_listener_connect_duration_seconds_sum{service="web",port="8080/tcp"} 0.1
    skep_lb_listener_connect_duration_seconds_count{service="web",port="8080/tcp"} 100
    skep_lb_listener_up{service="dns",port="53/udp"} 0
    skep_lb_listener_info{service="dns",service_id="y",port="53/udp",strategy="random"} 1
    skep_lb_endpoint_state{service="web",port="8080/tcp",task="web.1",task_id="a",address="10.0.0.3:80",state="ready"} 1
    skep_lb_endpoint_state{service="web",port="8080/tcp",task="web.1",task_id="a",address="10.0.0.3:80",state="draining"} 0
    skep_lb_endpoint_open_connections{service="web",port="8080/tcp",task="web.1",task_id="a",address="10.0.0.3:80"} 1
    skep_lb_endpoint_connections_total{service="web",port="8080/tcp",task="web.1",task_id="a",address="10.0.0.3:80"} 50
    skep_lb_endpoint_failures_total{service="web",port="8080/tcp",task="web.1",task_id="a",address="10.0.0.3:80",kind="refused"} 1
    skep_lb_endpoint_failures_total{service="web",port="8080/tcp",task="web.1",task_id="a",address="10.0.0.3:80",kind="timeout"} 4
    skep_lb_endpoint_bytes_in_total{service="web",port="8080/tcp",task="web.1",task_id="a",address="10.0.0.3:80"} 500
    skep_lb_endpoint_bytes_out_total{service="web",port="8080/tcp",task="web.1",task_id="a",address="10.0.0.3:80"} 2500
    of_a_later_release{service="web"} 9

    """

  /// Two seconds later: 40 connections more, all of them to a second task, and one that is gone.
  private static let second =
    first
    .replacing("uptime_seconds 100", with: "uptime_seconds 3723")
    .replacing(
      "listener_connections_total{service=\"web\",port=\"8080/tcp\"} 100",
      with: "listener_connections_total{service=\"web\",port=\"8080/tcp\"} 140"
    )
    .replacing("reason=\"no-endpoint\"} 2", with: "reason=\"no-endpoint\"} 5")
    .replacing("retries_total{service=\"web\",port=\"8080/tcp\"} 1", with: "retries_total{service=\"web\",port=\"8080/tcp\"} 501")
    .replacing(
      "bytes_in_total{service=\"web\",port=\"8080/tcp\"} 1000", with: "bytes_in_total{service=\"web\",port=\"8080/tcp\"} 3001000"
    )
    .replacing(
      "bytes_out_total{service=\"web\",port=\"8080/tcp\"} 5000", with: "bytes_out_total{service=\"web\",port=\"8080/tcp\"} 5001"
    )
    .replacing("le=\"0.0001\"} 50", with: "le=\"0.0001\"} 70").replacing("le=\"0.001\"} 90", with: "le=\"0.001\"} 130")
    .replacing("le=\"+Inf\"} 100", with: "le=\"+Inf\"} 140")
    .replacing(
      "seconds_count{service=\"web\",port=\"8080/tcp\"} 100", with: "seconds_count{service=\"web\",port=\"8080/tcp\"} 140")
      + """
      skep_lb_endpoint_state{service="web",port="8080/tcp",task="web.2",task_id="b",address="10.0.0.4:80",state="draining"} 1
      skep_lb_endpoint_open_connections{service="web",port="8080/tcp",task="web.2",task_id="b",address="10.0.0.4:80"} 2
      skep_lb_endpoint_connections_total{service="web",port="8080/tcp",task="web.2",task_id="b",address="10.0.0.4:80"} 40
      skep_lb_endpoint_failures_total{service="web",port="8080/tcp",task="web.2",task_id="b",address="10.0.0.4:80",kind="other"} 1

      """

  @Test("shows what went on between two scrapes, the busiest first")
  func table() throws {
    let change = LoadChange(from: try Self.sample(Self.first), to: try Self.sample(Self.second), seconds: 2)
    #expect(
      LoadTable.lines(change)
        == [
          "skepd 0.1.0, relay 0.0.9 up 1h 2m, 2 threads; table 7; 3 of 1000 connections, 0 of 500 UDP sessions", "",
          "NAME     ADDRESS      STATE        ACTIVE  CONN/S    IN/S  OUT/S  FAIL/S  RETRY/S     P50     P99",
          "web      8080/tcp     round-robin       3    20.0  1.5 MB    1 B     1.5      250  100 µs  982 µs",
          "  web.2  10.0.0.4:80  draining          2    20.0     0 B    0 B     0.5                -       -",
          "  web.1  10.0.0.3:80  ready             1       0     0 B    0 B       0                -       -",
          "dns      53/udp       closed            0       0     0 B    0 B       0        0       -       -",
        ])
  }

  @Test("counts from nothing what is new, began anew, or belongs to another relay")
  func anew() throws {
    let (old, new) = (try Self.sample(Self.second), try Self.sample(Self.first))
    for before in [old, LoadSample([])] {
      let web = try #require(LoadChange(from: before, to: new, seconds: 1).listeners.first)
      #expect((web.rates.connections, web.rates.bytesOut, web.endpoints.count) == (100, 5_000, 1))
      #expect(web.rates.median == 0.0001)
    }
    let another = Self.second.replacing("uptime_seconds 3723", with: "uptime_seconds 99")
    let web = try #require(LoadChange(from: new, to: try Self.sample(another), seconds: 1).listeners.first)
    #expect((web.rates.connections, web.rates.retries) == (140, 501) && web.endpoints.map(\.rates.connections) == [50, 40])
    let smaller = Self.first.replacing("8080/tcp\"} 100\n", with: "8080/tcp\"} 30\n")
    let change = LoadChange(from: new, to: try Self.sample(smaller), seconds: 1)
    #expect(change.listeners.first?.rates.connections == 30)
  }

  @Test(
    "says so when the relay does not answer, or nothing is published",
    arguments: [
      ("", ["skepd 0.1.0; the relay does not answer"]),
      (
        "skep_lb_relay_up 1\n",
        ["skepd 0.1.0, relay  up 0s, 0 threads; table 0; 0 of 0 connections, 0 of 0 UDP sessions", "No port is published."]
      ),
    ])
  func nothing(page: String, lines: [String]) throws {
    let sample = try Self.sample("skep_build_info{version=\"0.1.0\"} 1\n" + page)
    #expect(LoadTable.lines(LoadChange(from: sample, to: sample, seconds: 1)) == lines)
  }

  @Test(
    "has quantiles within buckets, and none of nothing",
    arguments: [
      ([], 0, 0.5, nil), ([(1, 0), (2, 0)], 0, 0.5, nil), ([(1, 10), (2, 10)], 10, 0.5, 0.5), ([(1, 10), (2, 20)], 20, 0.5, 1),
      ([(1, 10), (2, 20)], 20, 0.75, 1.5), ([(1, 0), (2, 4)], 4, 0.25, 1.25), ([(1, 1)], 4, 0.5, .infinity),
    ] as [([(Double, Double)], Double, Double, Double?)])
  func quantile(buckets: [(Double, Double)], count: Double, part: Double, expected: Double?) {
    let histogram = Histogram(buckets: buckets.map { .init(bound: $0.0, count: $0.1) }, count: count)
    #expect(histogram.quantile(part) == expected)
  }

  @Test("fills a terminal and no more")
  func frame() {
    #expect(
      LoadTable.frame(["abcdef", "µs", "c", "d"], columns: 3, rows: 4) == "\u{1b}[Habc\u{1b}[K\nµs\u{1b}[K\nc\u{1b}[K\n\u{1b}[J")
    #expect(LoadTable.frame(["a"], columns: 3, rows: 0) == "\u{1b}[Ha\u{1b}[K\n\u{1b}[J")
  }

  @Test(
    "writes numbers in a few digits",
    arguments: [
      (Units.rate(0), "0"), (Units.rate(0.04), "0"), (Units.rate(0.05), "0.1"), (Units.rate(99.94), "99.9"),
      (Units.rate(99.96), "100"), (Units.rate(12_345.6), "12346"),
      (Units.bytes(0), "0 B"), (Units.bytes(999), "999 B"), (Units.bytes(999.6), "1.0 kB"), (Units.bytes(12_345), "12.3 kB"),
      (Units.bytes(999_600), "1.0 MB"), (Units.bytes(5e9), "5.0 GB"), (Units.bytes(3e18), "3000 PB"),
      (Units.latency(0.000_012), "12.0 µs"), (Units.latency(0.000_999_9), "1.0 ms"), (Units.latency(0.25), "250 ms"),
      (Units.latency(0.999_9), "1.0 s"), (Units.latency(.infinity), ">1 s"),
      (Units.time(0), "0s"), (Units.time(61), "1m 1s"), (Units.time(3_599), "59m 59s"), (Units.time(7_260), "2h 1m"),
      (Units.time(90_000), "1d 1h"), (Units.time(-1), "0s"),
    ])
  func units(text: String, expected: String) { #expect(text == expected) }
}
