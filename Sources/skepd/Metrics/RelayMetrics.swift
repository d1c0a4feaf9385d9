// SPDX-License-Identifier: Apache-2.0

import Balancing
import DataPlane
import Telemetry

/// The relay's counts in the form that scrapers know. A service's name and port name a listener; a task's id is among the labels of
/// its endpoint because two tasks of one slot may be there at a time.
struct RelayMetrics {
  private var all: [Metric: MetricFamily] = [:]

  /// In the order of `Metric`, so that a page looks the same each time.
  var families: [MetricFamily] { Metric.allCases.compactMap { all[$0] } }

  /// - Parameter report: `nil` when the relay does not answer.
  init(report: RelayReport?, failures: [ProgramResult.Failure], names: TableNames) {
    add(.relayUp, [], report == nil ? 0 : 1)
    guard let report else { return }
    addWhole(report)
    for listener in report.listeners {
      let labels = Self.labels(listener.id, listener.port, names)
      if listener.inTable { add(.listenerUp, labels, 1) }
      addListener(listener, labels)
      for endpoint in listener.endpoints { addEndpoint(endpoint, labels, names) }
    }
    // A port that is bound by another program is not in the relay's table at all.
    for failure in failures where !report.listeners.contains(where: { $0.id == failure.listener && $0.inTable }) {
      add(.listenerUp, Self.labels(failure.listener, failure.port, names), 0)
    }
  }

  private static func labels(_ listener: String, _ port: ListenerPort, _ names: TableNames) -> [MetricFamily.Label] {
    [.init("service", names.service(Listener.service(ofListener: listener))), .init("port", "\(port)")]
  }

  private mutating func addWhole(_ report: RelayReport) {
    add(.relayInfo, [.init("version", report.release)], 1)
    all[.relayUptime, default: .init(.relayUptime)].add([], (Double(report.uptime) / 1e6).rounded() / 1e3)
    add(.relayThreads, [], report.threads)
    add(.tableGeneration, [], report.generation)
    add(.connections, [], report.connections)
    add(.connectionLimit, [], report.connectionLimit)
    add(.sessions, [], report.sessions)
    add(.sessionLimit, [], report.sessionLimit)
    add(.inherited, [], report.inherited)
  }

  private mutating func addListener(_ listener: ListenerCounters, _ labels: [MetricFamily.Label]) {
    let service = MetricFamily.Label("service_id", Listener.service(ofListener: listener.id))
    add(.listenerInfo, labels + [service, .init("strategy", listener.strategy.name)], 1)
    add(.listenerOpen, labels, listener.open)
    add(.listenerTotal, labels, listener.total)
    for reason in RefusalReason.allCases {
      add(.listenerRefused, labels + [.init("reason", reason.name)], listener.refusals[reason, default: 0])
    }
    add(.listenerRetries, labels, listener.retries)
    add(.listenerBytesIn, labels, listener.bytesIn)
    add(.listenerBytesOut, labels, listener.bytesOut)
    if listener.port.transport == .tcp { add(.listenerLatency, labels, listener.latency) }
  }

  private mutating func addEndpoint(
    _ endpoint: ListenerCounters.Endpoint, _ listener: [MetricFamily.Label], _ names: TableNames
  ) {
    let labels =
      listener + [
        .init("task", names.task(endpoint.id)), .init("task_id", endpoint.id),
        .init("address", "\(endpoint.address):\(endpoint.port)"),
      ]
    for state in ListenerCounters.Endpoint.State.allCases {
      add(.endpointState, labels + [.init("state", "\(state)")], state == endpoint.state ? 1 : 0)
    }
    add(.endpointOpen, labels, endpoint.open)
    add(.endpointTotal, labels, endpoint.total)
    for kind in ConnectFailure.allCases {
      add(.endpointFailures, labels + [.init("kind", kind.name)], endpoint.failuresByKind[kind, default: 0])
    }
    add(.endpointBytesIn, labels, endpoint.bytesIn)
    add(.endpointBytesOut, labels, endpoint.bytesOut)
    if listener.last?.value.hasSuffix("/tcp") == true { add(.endpointLatency, labels, endpoint.latency) }
  }

  private mutating func add(_ metric: Metric, _ labels: [MetricFamily.Label], _ value: some BinaryInteger) {
    all[metric, default: MetricFamily(metric)].add(labels, value)
  }

  private mutating func add(_ metric: Metric, _ labels: [MetricFamily.Label], _ latency: LatencyHistogram) {
    all[metric, default: MetricFamily(metric)].add(labels, Histogram(latency))
  }
}

extension Histogram {
  init(_ latency: LatencyHistogram) {
    let buckets = zip(Metric.latencyBounds, latency.counts(upTo: Metric.latencyBounds)).map { bound, count in
      Bucket(bound: Double(bound) / 1e9, count: Double(count))
    }
    self.init(buckets: buckets, count: Double(latency.count), sum: Double(latency.sum) / 1e9)
  }
}
