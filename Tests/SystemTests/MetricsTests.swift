// SPDX-License-Identifier: Apache-2.0

import PlaygroundKit
import Testing

@testable import Telemetry

extension SystemTests {
  @Test("Metrics tell exactly what clients did, by task, on the socket and on an address; skep lb top shows it")
  func metrics() async throws {
    let configuration = Configuration.defaults.with { $0.skepdArguments = ["--metrics-addr", "0.0.0.0:9323"] }
    try await Fixture.with(configuration) { n1 in
      #expect(try await n1.host.exec(["stat", "--format", "%a", "/run/skep/metrics.sock"]).text == "660")
      try await n1.create("web", replicas: 2, "--label", "skep.lb.offload=off")
      let before = try await n1.idle()
      let sizes = try await n1.sizes(ofRequests: 12)
      let after = try await n1.idle()
      let key = LoadSample.ListenerKey(service: "web", port: "8080/tcp")
      let (old, new) = (try #require(before.listeners[key]), try #require(after.listeners[key]))
      #expect(new.totals.connections - old.totals.connections == 12)
      #expect(new.totals.latency.count - old.totals.latency.count == 12)
      #expect(new.totals.bytesIn - old.totals.bytesIn == sizes.request)
      #expect(new.totals.bytesOut - old.totals.bytesOut == sizes.answer)
      #expect(
        (new.totals.failures, new.strategy, new.isUp, after.endpoints.count) == (old.totals.failures, "round-robin", true, 2))
      for (key, endpoint) in after.endpoints {
        let earlier = try #require(before.endpoints[key]).totals
        #expect(endpoint.totals.connections - earlier.connections == 6 && endpoint.state == "ready")
        #expect(endpoint.totals.bytesIn - earlier.bytesIn == sizes.request / 2)
        #expect(["web.1", "web.2"].contains(endpoint.task) && endpoint.address.hasSuffix(":80"))
      }

      try await n1.docker("service", "update", "--detach", "--label-rm", "skep.lb.offload", "web")
      try await n1.expectCarried(key)

      try await n1.docker("service", "update", "--detach", "--label-add", "skep.lb.strategy=random", "web")
      try await n1.wait("the table is a later one") {
        let now = try await n1.scrape()
        return now.listeners[key]?.strategy == "random"
          && (now.numbers[.tableGeneration] ?? 0) > (before.numbers[.tableGeneration] ?? 0)
      }
      try await n1.expectTop(task: "web.2")
      try await n1.expectWithoutRelay()
    }
  }
}

extension Fixture {
  /// By TCP, from outside.
  fileprivate func scrape() async throws -> LoadSample {
    let page = try await client.exec(["curl", "--silent", "--fail", "--max-time", "10", "http://\(host.address):9323/metrics"])
    return LoadSample(try TextFormat.samples(in: Array(page.stdout.utf8)))
  }

  /// When nothing is open, so that all has been counted.
  fileprivate func idle() async throws -> LoadSample {
    var sample = try await scrape()
    try await wait("all connections are closed") {
      sample = try await scrape()
      return sample.numbers[.connections] == 0 && sample.listeners.values.allSatisfy { $0.open == 0 }
    }
    return sample
  }

  fileprivate func sizes(ofRequests count: Int) async throws -> (request: Double, answer: Double) {
    var (request, answer) = (0.0, 0.0)
    let format = "%{size_request} %{size_header} %{size_download}"
    for _ in 1...count {
      let text = try await client.exec(["curl", "--silent", "--fail", "--output", "/dev/null", "--write-out", format, url()]).text
      let sizes = text.split(separator: " ").compactMap { Double($0) }
      try #require(sizes.count == 3)
      (request, answer) = (request + sizes[0], answer + sizes[1] + sizes[2])
    }
    return (request, answer)
  }

  /// The same by the packet filter: connections exactly, bytes with the packets' headers.
  fileprivate func expectCarried(_ key: LoadSample.ListenerKey) async throws {
    try await wait("the packet filter carries") {
      try await host.exec(["nft", "list", "table", "ip", "skep-offload"]).succeeded
    }
    let before = try await idle()
    let sizes = try await sizes(ofRequests: 12)
    let after = try await idle()
    let (old, new) = (try #require(before.listeners[key]).totals, try #require(after.listeners[key]).totals)
    #expect(new.connections - old.connections == 12 && new.latency.count == old.latency.count)
    #expect(new.bytesIn - old.bytesIn > sizes.request + 12 * 160 && new.bytesOut - old.bytesOut > sizes.answer + 12 * 160)
    for (key, endpoint) in after.endpoints {
      #expect(endpoint.totals.connections - (before.endpoints[key]?.totals.connections ?? 0) == 6)
    }
  }

  /// On the socket, with requests going on meanwhile.
  fileprivate func expectTop(task: String) async throws {
    async let load = client.requests(url("/slow?ms=100"), count: 30, parallel: 1)
    let top = try await host.exec([skep, "lb", "top", "--no-stream"])
    _ = try await load
    let rows = top.lines.map { $0.split(separator: " ").map(String.init) }
    try #require(rows.count == 5, "\(top.text)\(top.stderr)")
    #expect(rows[1] == ["NAME", "ADDRESS", "STATE", "ACTIVE", "CONN/S", "IN/S", "OUT/S", "FAIL/S", "RETRY/S", "P50", "P99"])
    #expect(rows[2].starts(with: ["web", "8080/tcp", "random"]) && (Double(rows[2][4]) ?? 0) > 1, "\(top.text)")
    #expect(rows[3...].contains { $0[0] == task && $0[2] == "ready" })
  }

  /// The relay hangs: what skepd knows is told all the same, and soon.
  fileprivate func expectWithoutRelay() async throws {
    try await stopRelay()
    let page = try await client.exec(["curl", "--silent", "--fail", "--max-time", "3", "http://\(host.address):9323/metrics"])
    #expect(page.lines.contains("skep_lb_relay_up 0") && page.lines.contains { $0.hasPrefix("skep_build_info{version=") })
    let top = try await host.exec([skep, "lb", "top", "--no-stream", "--interval", "0.1"])
    #expect(top.text.hasSuffix("the relay does not answer"))
    try await host.kill(.relay, signal: 18)
    try await wait("the relay answers again") { try await scrape().isRelayUp }
  }

  private var skep: String { host.binaries + "/skep" }
}
