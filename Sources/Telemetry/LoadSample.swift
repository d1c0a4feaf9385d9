// SPDX-License-Identifier: Apache-2.0

/// What one scrape says of the load balancer.
package struct LoadSample: Hashable, Sendable {
  /// What only grows, until what is counted begins anew.
  package struct Totals: Hashable, Sendable {
    package var connections = 0.0
    /// Clients a listener refused, or connections an endpoint did not take.
    package var failures = 0.0
    package var retries = 0.0
    package var bytesIn = 0.0
    package var bytesOut = 0.0
    package var latency = Histogram()

    package init() {}
  }

  package struct ListenerKey: Hashable, Sendable {
    package var service: String
    package var port: String
  }

  package struct EndpointKey: Hashable, Sendable {
    package var listener: ListenerKey
    package var taskID: String
  }

  package struct Listener: Hashable, Sendable {
    package var strategy = ""
    package var isUp = true
    package var open = 0.0
    package var totals = Totals()
  }

  package struct Endpoint: Hashable, Sendable {
    package var task = ""
    package var address = ""
    package var state = ""
    package var open = 0.0
    package var totals = Totals()
  }

  /// What has no labels, by metric.
  package private(set) var numbers: [Metric: Double] = [:]
  package private(set) var release = ""
  package private(set) var relayRelease = ""
  package private(set) var listeners: [ListenerKey: Listener] = [:]
  package private(set) var endpoints: [EndpointKey: Endpoint] = [:]

  package var isRelayUp: Bool { numbers[.relayUp] == 1 }

  /// Metrics that are not known are passed over: skepd may be of a later release.
  package init(_ samples: [TextFormat.Sample]) {
    for sample in samples {
      if let metric = Metric(rawValue: sample.name) { take(sample, metric) } else { takePart(sample) }
    }
  }

  private mutating func take(_ sample: TextFormat.Sample, _ metric: Metric) {
    switch metric {
    case .buildInfo: release = sample.labels["version"] ?? ""
    case .relayInfo: relayRelease = sample.labels["version"] ?? ""
    case .listenerUp: change(listener: sample) { $0.isUp = sample.value == 1 }
    case .listenerInfo: change(listener: sample) { $0.strategy = sample.labels["strategy"] ?? "" }
    case .listenerOpen: change(listener: sample) { $0.open = sample.value }
    case .listenerTotal: change(listener: sample) { $0.totals.connections = sample.value }
    case .listenerRefused: change(listener: sample) { $0.totals.failures += sample.value }
    case .listenerRetries: change(listener: sample) { $0.totals.retries = sample.value }
    case .listenerBytesIn: change(listener: sample) { $0.totals.bytesIn = sample.value }
    case .listenerBytesOut: change(listener: sample) { $0.totals.bytesOut = sample.value }
    case .endpointState: if sample.value == 1 { change(endpoint: sample) { $0.state = sample.labels["state"] ?? "" } }
    case .endpointOpen: change(endpoint: sample) { $0.open = sample.value }
    case .endpointTotal: change(endpoint: sample) { $0.totals.connections = sample.value }
    case .endpointFailures: change(endpoint: sample) { $0.totals.failures += sample.value }
    case .endpointBytesIn: change(endpoint: sample) { $0.totals.bytesIn = sample.value }
    case .endpointBytesOut: change(endpoint: sample) { $0.totals.bytesOut = sample.value }
    default: if sample.labels.isEmpty { numbers[metric] = sample.value }
    }
  }

  /// A line of a histogram.
  private mutating func takePart(_ sample: TextFormat.Sample) {
    for suffix in ["_bucket", "_sum", "_count"] where sample.name.hasSuffix(suffix) {
      switch Metric(rawValue: String(sample.name.dropLast(suffix.count))) {
      case .listenerLatency: change(listener: sample) { $0.totals.latency.take(sample, suffix) }
      case .endpointLatency: change(endpoint: sample) { $0.totals.latency.take(sample, suffix) }
      default: break
      }
    }
  }

  private mutating func change(listener sample: TextFormat.Sample, _ body: (inout Listener) -> Void) {
    guard let key = ListenerKey(sample.labels) else { return }
    body(&listeners[key, default: Listener()])
  }

  private mutating func change(endpoint sample: TextFormat.Sample, _ body: (inout Endpoint) -> Void) {
    guard let listener = ListenerKey(sample.labels), let taskID = sample.labels["task_id"] else { return }
    let key = EndpointKey(listener: listener, taskID: taskID)
    let new = Endpoint(task: sample.labels["task"] ?? taskID, address: sample.labels["address"] ?? "")
    body(&endpoints[key, default: new])
  }
}

extension LoadSample.ListenerKey {
  fileprivate init?(_ labels: [String: String]) {
    guard let service = labels["service"], let port = labels["port"] else { return nil }
    self.init(service: service, port: port)
  }
}

extension Histogram {
  fileprivate mutating func take(_ sample: TextFormat.Sample, _ suffix: String) {
    switch suffix {
    case "_sum": sum = sample.value
    case "_count": count = sample.value
    default:
      guard let bound = sample.labels["le"].flatMap(Double.init), bound.isFinite else { return }
      buckets.append(Bucket(bound: bound, count: sample.value))
    }
  }
}
