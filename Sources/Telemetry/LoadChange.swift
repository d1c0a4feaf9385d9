// SPDX-License-Identifier: Apache-2.0

/// What went on between two scrapes, per second.
package struct LoadChange: Hashable, Sendable {
  package struct Rates: Hashable, Sendable {
    package var connections: Double
    package var failures: Double
    package var retries: Double
    package var bytesIn: Double
    package var bytesOut: Double
    /// Of connections in between, in seconds; `nil` when there was none, infinite beyond the last bucket.
    package var median: Double?
    package var p99: Double?

    var bytes: Double { bytesIn + bytesOut }
  }

  package struct Endpoint: Hashable, Sendable {
    package var endpoint: LoadSample.Endpoint
    package var rates: Rates
  }

  package struct Listener: Hashable, Sendable {
    package var key: LoadSample.ListenerKey
    package var listener: LoadSample.Listener
    package var rates: Rates
    package var endpoints: [Endpoint]
  }

  package var sample: LoadSample
  /// The busiest first, and so the endpoints of each.
  package var listeners: [Listener]

  /// Counts that are new, or have begun anew, are taken to have begun at 0 in between.
  package init(from before: LoadSample, to after: LoadSample, seconds: Double) {
    let isSameRelay = (after.numbers[.relayUptime] ?? 0) >= (before.numbers[.relayUptime] ?? 0)
    var endpoints: [LoadSample.ListenerKey: [Endpoint]] = [:]
    for (key, endpoint) in after.endpoints {
      let old = isSameRelay ? before.endpoints[key]?.totals : nil
      endpoints[key.listener, default: []].append(
        Endpoint(endpoint: endpoint, rates: Rates(from: old, to: endpoint.totals, seconds)))
    }
    sample = after
    listeners = after.listeners.map { key, listener in
      let old = isSameRelay ? before.listeners[key]?.totals : nil
      return Listener(
        key: key, listener: listener, rates: Rates(from: old, to: listener.totals, seconds),
        endpoints: (endpoints[key] ?? []).sorted(by: Endpoint.isBusier))
    }.sorted(by: Listener.isBusier)
  }
}

extension LoadChange.Rates {
  fileprivate init(from old: LoadSample.Totals?, to new: LoadSample.Totals, _ seconds: Double) {
    let old = old ?? LoadSample.Totals()
    func rate(_ path: KeyPath<LoadSample.Totals, Double>) -> Double {
      (new[keyPath: path] >= old[keyPath: path] ? new[keyPath: path] - old[keyPath: path] : new[keyPath: path]) / seconds
    }
    connections = rate(\.connections)
    failures = rate(\.failures)
    retries = rate(\.retries)
    bytesIn = rate(\.bytesIn)
    bytesOut = rate(\.bytesOut)
    let latency = new.latency.since(old.latency)
    median = latency.quantile(0.5)
    p99 = latency.quantile(0.99)
  }

  /// Negative, 0 or positive, as the other is busier, as busy, or less busy.
  fileprivate func compared(to other: Self) -> Double {
    connections != other.connections ? connections - other.connections : bytes - other.bytes
  }
}

extension LoadChange.Endpoint {
  fileprivate static func isBusier(_ left: Self, _ right: Self) -> Bool {
    let order = left.rates.compared(to: right.rates)
    return order != 0 ? order > 0 : (left.endpoint.task, left.endpoint.address) < (right.endpoint.task, right.endpoint.address)
  }
}

extension LoadChange.Listener {
  fileprivate static func isBusier(_ left: Self, _ right: Self) -> Bool {
    let order = left.rates.compared(to: right.rates)
    return order != 0 ? order > 0 : (left.key.service, left.key.port) < (right.key.service, right.key.port)
  }
}

extension Histogram {
  /// Those that came after `old`.
  package func since(_ old: Histogram) -> Histogram {
    guard count >= old.count, buckets.map(\.bound) == old.buckets.map(\.bound) else { return self }
    let new = zip(buckets, old.buckets).map { Bucket(bound: $0.bound, count: max(0, $0.count - $1.count)) }
    return Histogram(buckets: new, count: count - old.count, sum: sum - old.sum)
  }

  /// Within its bucket a value is taken to be where its rank is. `nil` without values, infinite beyond the last bucket.
  package func quantile(_ part: Double) -> Double? {
    guard count > 0 else { return nil }
    let rank = part * count
    var (lower, seen) = (0.0, 0.0)
    for bucket in buckets {
      if bucket.count >= rank, bucket.count > seen {
        return lower + (bucket.bound - lower) * (rank - seen) / (bucket.count - seen)
      }
      (lower, seen) = (bucket.bound, bucket.count)
    }
    return .infinity
  }
}
