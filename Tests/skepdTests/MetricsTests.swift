// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import Foundation
import Telemetry
import Testing

@testable import DataPlane
@testable import Overlay
@testable import skepd

@Suite("skepd's metrics")
struct MetricsTests {
  private static var latency: LatencyHistogram {
    var latency = LatencyHistogram()
    for value in [9_000, 60_000, 2_000_000_000] as [UInt64] { latency.record(value) }
    return latency
  }

  private static let report = RelayReport(
    release: "0.0.9", uptime: 12_345_678_901, generation: 7, threads: 2, connections: 5, connectionLimit: 100, sessions: 1,
    sessionLimit: 50, inherited: 3,
    listeners: [
      ListenerCounters(
        id: "s1/8080/tcp", port: .init(.tcp, 8_080), strategy: .ipHash, inTable: true, open: 2, total: 10,
        refusals: [.noEndpoint: 3], retries: 4, bytesIn: 5, bytesOut: 6, latency: latency,
        endpoints: [
          .init(
            id: "t1", address: IPv4Address(bits: 0x0a00_0003), port: 80, state: .draining, open: 2, total: 7,
            failuresByKind: [.timedOut: 1], bytesIn: 8, bytesOut: 9, latency: latency)
        ]),
      ListenerCounters(
        id: "gone/53/udp", port: .init(.udp, 53), strategy: .random, inTable: false, open: 1, total: 1, refusals: [:], retries: 0,
        bytesIn: 0, bytesOut: 0, latency: LatencyHistogram(), endpoints: []),
    ])

  private static func lines(_ families: [MetricFamily]) -> [String] {
    String(decoding: TextFormat.bytes(of: families), as: UTF8.self).split(separator: "\n").map(String.init).filter {
      $0.first != "#"
    }
  }

  @Test("tell the relay's counts by the names of services and tasks")
  func page() {
    let failure = ProgramResult.Failure(listener: "s2/80/tcp", port: .init(.tcp, 80), errno: 98)
    let names = TableNames(services: ["s1": "web", "s2": "api"], tasks: ["t1": "web.1"])
    let lines = Self.lines(RelayMetrics(report: Self.report, failures: [failure], names: names).families)
    let (web, gone) = (#"service="web",port="8080/tcp""#, #"service="gone",port="53/udp""#)
    let task = #"\#(web),task="web.1",task_id="t1",address="10.0.0.3:80""#
    let histograms = lines.filter { $0.contains("_duration_seconds") }
    #expect(
      lines.filter { !$0.contains("_duration_seconds") } == [
        "skep_lb_relay_up 1", #"skep_lb_relay_info{version="0.0.9"} 1"#, "skep_lb_relay_uptime_seconds 12.346",
        "skep_lb_relay_threads 2", "skep_lb_table_generation 7", "skep_lb_open_connections 5",
        "skep_lb_open_connections_limit 100",
        "skep_lb_open_sessions 1", "skep_lb_open_sessions_limit 50", "skep_lb_inherited_connections 3",
        "skep_lb_listener_up{\(web)} 1", #"skep_lb_listener_up{service="api",port="80/tcp"} 0"#,
        #"skep_lb_listener_info{\#(web),service_id="s1",strategy="ip-hash"} 1"#,
        #"skep_lb_listener_info{\#(gone),service_id="gone",strategy="random"} 1"#,
        "skep_lb_listener_open_connections{\(web)} 2", "skep_lb_listener_open_connections{\(gone)} 1",
        "skep_lb_listener_connections_total{\(web)} 10", "skep_lb_listener_connections_total{\(gone)} 1",
        #"skep_lb_listener_refused_total{\#(web),reason="other"} 0"#,
        #"skep_lb_listener_refused_total{\#(web),reason="no-endpoint"} 3"#,
        #"skep_lb_listener_refused_total{\#(web),reason="limit"} 0"#,
        #"skep_lb_listener_refused_total{\#(gone),reason="other"} 0"#,
        #"skep_lb_listener_refused_total{\#(gone),reason="no-endpoint"} 0"#,
        #"skep_lb_listener_refused_total{\#(gone),reason="limit"} 0"#,
        "skep_lb_listener_retries_total{\(web)} 4", "skep_lb_listener_retries_total{\(gone)} 0",
        "skep_lb_listener_bytes_in_total{\(web)} 5", "skep_lb_listener_bytes_in_total{\(gone)} 0",
        "skep_lb_listener_bytes_out_total{\(web)} 6", "skep_lb_listener_bytes_out_total{\(gone)} 0",
        #"skep_lb_endpoint_state{\#(task),state="ready"} 0"#, #"skep_lb_endpoint_state{\#(task),state="draining"} 1"#,
        #"skep_lb_endpoint_state{\#(task),state="gone"} 0"#,
        "skep_lb_endpoint_open_connections{\(task)} 2", "skep_lb_endpoint_connections_total{\(task)} 7",
        #"skep_lb_endpoint_failures_total{\#(task),kind="other"} 0"#,
        #"skep_lb_endpoint_failures_total{\#(task),kind="refused"} 0"#,
        #"skep_lb_endpoint_failures_total{\#(task),kind="timeout"} 1"#,
        #"skep_lb_endpoint_failures_total{\#(task),kind="unreachable"} 0"#,
        #"skep_lb_endpoint_failures_total{\#(task),kind="withdrawn"} 0"#,
        "skep_lb_endpoint_bytes_in_total{\(task)} 8", "skep_lb_endpoint_bytes_out_total{\(task)} 9",
      ])
    #expect(histograms.count == 2 * (Metric.latencyBounds.count + 3))
    for line in [
      #"_bucket{\#(task),le="1e-05"} 1"#, #"_bucket{\#(task),le="5e-05"} 1"#, #"_bucket{\#(task),le="7e-05"} 2"#,
      #"_bucket{\#(task),le="1"} 2"#, #"_bucket{\#(task),le="+Inf"} 3"#, "_sum{\(task)} 2.000069", "_count{\(task)} 3",
    ] {
      #expect(histograms.contains("skep_lb_endpoint_connect_duration_seconds" + line))
    }
  }

  @Test("have no two series of the same labels")
  func unique() {
    let lines = Self.lines(RelayMetrics(report: Self.report, failures: [], names: TableNames()).families)
    #expect(Set(lines.map { $0.prefix { $0 != " " } }).count == lines.count)
  }

  @Test("are what skepd knows by itself when the relay does not answer")
  func relayAway() {
    #expect(Self.lines(RelayMetrics(report: nil, failures: [], names: TableNames()).families) == ["skep_lb_relay_up 0"])
  }

  @Test("tell what the process uses")
  func process() throws {
    let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 9 0 0 0 150 50 0 0 20 0 4 0 12345 1048576 300 18446744073709551615 1 1"
    let usage = try #require(ProcessUsage(stat: stat, ticksPerSecond: 100, pageSize: 4_096))
    #expect((usage.seconds, usage.startedAfter, usage.addressSpace, usage.resident) == (2, 123.45, 1_048_576, 1_228_800))
    for bad in ["", "7 (a) S 1", "7 a S 1 2 3"] { #expect(ProcessUsage(stat: bad, ticksPerSecond: 100, pageSize: 1) == nil) }
    let names = ProcessUsage.families().filter { !$0.series.isEmpty }.map(\.metric)
    #expect(
      names == [.processCPU, .processMemory, .processAddressSpace, .processDescriptors, .processDescriptorLimit, .processStart])
  }

  @Test("are all in the manual", arguments: Metric.allCases)
  func manual(metric: Metric) throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(contentsOf: root.appendingPathComponent("docs/operations.md"), encoding: .utf8)
    #expect(text.contains("`\(metric.rawValue)"))
  }

  @Test("count what the packet filter carried with what the relay did, for the endpoint, its port, and what has gone from it")
  func carried() {
    let carried = OffloadCounts(
      listing: """
        table ip skep-offload {
        \tcounter new-8080-10.0.0.3 {
        \t\tpackets 30 bytes 1800
        \t}
        \tcounter in-8080-10.0.0.3 {
        \t\tpackets 90 bytes 500
        \t}
        \tcounter out-8080-10.0.0.3 {
        \t\tpackets 90 bytes 700
        \t}
        \tcounter new-8080 {
        \t\tpackets 4 bytes 0
        \t}
        \tcounter new-53-10.0.0.3 {
        \t\tpackets 1 bytes 60
        \t}
        \tcounter refused {
        \t\tpackets 2 bytes 80
        \t}
        }
        """)
    var report = Self.report
    report.add(carried)
    let (web, gone) = (report.listeners[0], report.listeners[1])
    #expect([web.total, web.bytesIn, web.bytesOut] == [44, 505, 706])
    #expect(web.endpoints.map { [$0.total, $0.bytesIn, $0.bytesOut] } == [[37, 508, 709]])
    #expect(web.open == 2 && web.latency == Self.report.listeners[0].latency)
    #expect(gone == Self.report.listeners[1])
  }
}
