// SPDX-License-Identifier: Apache-2.0

/// Names an endpoint of one `Balancer` while it is in the table or has open connections.
package struct EndpointHandle: Hashable, Sendable {
  package let index: Int32
  // Slots are used again; the life tells a new holder from the one before.
  let life: UInt32
}

/// Chooses an endpoint for each new connection of one listener, and counts the connections open to each.
///
/// Only ready endpoints are chosen. A new strategy or other endpoints never disturb the counts: an endpoint that left the
/// table is kept until its last connection is closed.
package struct Balancer: Sendable {
  struct Slot: Sendable {
    var endpoint: Endpoint
    var life: UInt32
    var isUsed = true
    var inTable = true
    var open = 0
    /// Connections that another process has to it.
    var elsewhere = 0
    var tally = Tally()
  }

  /// What an endpoint has had since it entered the table.
  package struct Tally: Hashable, Sendable {
    /// Connections given to the endpoint, less those it did not take.
    package var total: UInt64 = 0
    /// Connections it did not take.
    package var failures: [ConnectFailure: UInt64] = [:]
    package var bytesIn: UInt64 = 0
    package var bytesOut: UInt64 = 0
    /// From the call for a connection until the endpoint had accepted it.
    package var latency = LatencyHistogram()

    package init() {}

    mutating func add(_ other: Tally) {
      total &+= other.total
      failures.merge(other.failures, uniquingKeysWith: &+)
      bytesIn &+= other.bytesIn
      bytesOut &+= other.bytesOut
      latency.merge(other.latency)
    }
  }

  package private(set) var strategy: Strategy
  var slots: [Slot] = []
  var free: [Int32] = []
  /// The ready endpoints in the order they take turns, and whose turn is next.
  var rotation: [EndpointHandle] = []
  var turn = 0
  /// The members of `maglev`, which is built when it is first needed after the ready endpoints changed.
  var members: [EndpointHandle] = []
  var maglev: Maglev?
  /// Of endpoints that are gone.
  var departed = Tally()
  /// Connections that other processes have, by endpoint.
  var elsewhere: [String: Int] = [:]

  package init(strategy: Strategy, endpoints: [Endpoint] = []) {
    self.strategy = strategy
    update(strategy: strategy, endpoints: endpoints)
  }

  package mutating func update(strategy: Strategy, endpoints: [Endpoint]) {
    self.strategy = strategy
    replaceEndpoints(endpoints)
  }

  /// The endpoint for a new connection, or `nil` when no ready one is left beside `tried`. Count it with `opened`.
  package mutating func pick(
    client: ClientAddress, excluding tried: [EndpointHandle] = [], using generator: inout some RandomNumberGenerator
  ) -> EndpointHandle? {
    switch strategy {
    case .roundRobin: next(excluding: tried)
    case .leastConnections: leastLoaded(excluding: tried)
    case .ipHash: owner(of: client, excluding: tried)
    case .random: anyone(excluding: tried, using: &generator)
    }
  }

  private mutating func next(excluding tried: [EndpointHandle]) -> EndpointHandle? {
    for step in rotation.indices {
      let index = wrapped(turn + step)
      if tried.contains(rotation[index]) { continue }
      turn = wrapped(index + 1)
      return rotation[index]
    }
    return nil
  }

  private mutating func leastLoaded(excluding tried: [EndpointHandle]) -> EndpointHandle? {
    var best: Int?
    var fewest = Int.max
    for step in rotation.indices {
      let index = wrapped(turn + step)
      let open = slots[Int(rotation[index].index)].open + slots[Int(rotation[index].index)].elsewhere
      if open < fewest, !tried.contains(rotation[index]) { (best, fewest) = (index, open) }
    }
    guard let best else { return nil }
    turn = wrapped(best + 1)
    return rotation[best]
  }

  private mutating func owner(of client: ClientAddress, excluding tried: [EndpointHandle]) -> EndpointHandle? {
    guard rotation.contains(where: { !tried.contains($0) }) else { return nil }
    let hash = client.stableHash
    let table = preparedMaglev()
    for offset in 0..<Maglev.size {
      let handle = members[table.owner(of: hash, offset: offset)]
      if !tried.contains(handle) { return handle }
    }
    return nil
  }

  private func anyone(excluding tried: [EndpointHandle], using generator: inout some RandomNumberGenerator) -> EndpointHandle? {
    if tried.isEmpty { return rotation.randomElement(using: &generator) }
    return rotation.filter { !tried.contains($0) }.randomElement(using: &generator)
  }

  private mutating func preparedMaglev() -> Maglev {
    if let maglev { return maglev }
    members = rotation.sorted { slots[Int($0.index)].endpoint.id < slots[Int($1.index)].endpoint.id }
    let built = Maglev(members: members.map { slots[Int($0.index)].endpoint.id })
    maglev = built
    return built
  }

  // Cheaper than a remainder, and `index` is never more than once around.
  private func wrapped(_ index: Int) -> Int {
    index < rotation.count ? index : index - rotation.count
  }
}
