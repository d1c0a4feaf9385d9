// SPDX-License-Identifier: Apache-2.0

import Balancing

/// The listeners in force with their balancers, and the sockets that lead to them: what the relay's threads choose by.
struct ListenerTable: Sendable {
  /// Where a connection goes, and from which address; 0 is this host's own.
  struct Route: Sendable {
    let endpoint: EndpointHandle
    let address: UInt32
    let port: UInt16
    let source: UInt32
  }

  /// What becomes of a client.
  struct Admission: Sendable {
    /// Index of its listener.
    let listener: Int
    /// The thread that shall carry it.
    let thread: Int
    /// `nil` when no endpoint is ready.
    let route: Route?
  }

  struct TakingSocket: Sendable {
    let port: ListenerPort
    /// Index of the listener that takes its clients; -1 while there is none.
    var listener = -1
    /// How many clients were accepted from it.
    var taken: UInt64 = 0
  }

  var listeners: [RelayListener?] = []
  /// By the socket's id, which is never used again: what a thread accepted a moment before the socket went meets nobody else's.
  var sockets: [Int: TakingSocket] = [:]
  var nextSocket = 0
  var generation: UInt64 = 0
  var sources = SourcePolicy.none
  /// Connections that relays that were replaced still have, by listener and endpoint.
  var inherited: [String: [String: Int]] = [:]
  /// Something changed for those who wait for an endpoint's connections to end.
  private(set) var isReportDue = false
  /// Somebody waits for all connections, not only for those of endpoints that leave.
  var reportsEveryEnd = false
  /// Threads that shall look again at sockets for whose clients there was no place.
  var wakes: [(thread: Int, socket: Int)] = []
  private var random: SplitMix64
  /// Connections that each thread carries.
  private var loads: [Int]

  init(threads: Int, seed: UInt64) {
    loads = Array(repeating: 0, count: threads)
    random = SplitMix64(seed: seed)
  }

  func listener(ofSocket id: Int) -> Int? {
    guard let socket = sockets[id], listeners.indices.contains(socket.listener) else { return nil }
    return socket.listener
  }

  /// A client that `thread` took from a socket; `nil` when the socket has gone. It counts as open until `settle`.
  ///
  /// - Parameter reserved: the listener that holds a place for it.
  mutating func admit(socket id: Int, client: ClientAddress, thread: Int, reserved: Int? = nil) -> Admission? {
    if let reserved { giveBackPlace(reserved) }
    sockets[id]?.taken += 1
    guard let listener = listener(ofSocket: id), listeners[listener] != nil else { return nil }
    listeners[listener]?.open += 1
    listeners[listener]?.total += 1
    let thread = carrier(instead: thread)
    loads[thread] += 1
    return Admission(listener: listener, thread: thread, route: route(listener, client: client, tried: []))
  }

  /// As `admit` for a UDP client, who stays with the thread that heard it; `nil` when nobody can serve it.
  mutating func admitDatagrams(socket id: Int, client: ClientAddress) -> (listener: Int, route: Route)? {
    guard let listener = listener(ofSocket: id), listeners[listener] != nil else { return nil }
    guard listeners[listener]?.hasPlace == true else {
      refuse(socket: id)
      return nil
    }
    guard let route = route(listener, client: client, tried: []) else { return nil }
    listeners[listener]?.open += 1
    listeners[listener]?.total += 1
    return (listener, route)
  }

  /// A client for whom there is no place.
  mutating func refuse(socket id: Int) {
    if let listener = listener(ofSocket: id) { listeners[listener]?.refusals.count(.limit) }
  }

  // The kernel wakes the same thread again and again while clients come slowly, and then their connections would all be its.
  private func carrier(instead thread: Int) -> Int {
    guard loads.count > 1, let least = loads.indices.min(by: { loads[$0] < loads[$1] }) else { return thread }
    return loads[thread] > loads[least] + 4 + loads[least] / 8 ? least : thread
  }

  /// Another endpoint for a client, after `failed` did not take it; `nil` when there is none beside `tried`.
  mutating func retry(
    _ listener: Int, client: ClientAddress, failed: EndpointHandle, _ reason: ConnectFailure, tried: [EndpointHandle]
  ) -> Route? {
    if reportsEveryEnd || listeners[listener]?.balancer.isLeaving(failed) == true { isReportDue = true }
    listeners[listener]?.balancer.failed(failed, reason)
    guard let route = route(listener, client: client, tried: tried) else { return nil }
    listeners[listener]?.retries += 1
    return route
  }

  /// The endpoint has taken a connection, this many nanoseconds after it was called.
  mutating func accepted(_ listener: Int, endpoint: EndpointHandle, after latency: UInt64) {
    listeners[listener]?.balancer.accepted(endpoint, after: latency)
  }

  private mutating func route(_ listener: Int, client: ClientAddress, tried: [EndpointHandle]) -> Route? {
    guard let endpoint = listeners[listener]?.balancer.pick(client: client, excluding: tried, using: &random),
      let (address, port) = listeners[listener]?.balancer.destination(endpoint)
    else {
      listeners[listener]?.refusals.count(.noEndpoint)
      return nil
    }
    listeners[listener]?.balancer.opened(endpoint)
    return Route(endpoint: endpoint, address: address.bits, port: port, source: sources.source(for: client)?.bits ?? 0)
  }

  /// The end of what `admit` began, on `thread`, which is `nil` for UDP. `failure`: why the endpoint never served it.
  mutating func settle(
    _ listener: Int, endpoint: EndpointHandle?, thread: Int?, bytesIn: UInt64, bytesOut: UInt64, failure: ConnectFailure? = nil
  ) {
    if let thread { loads[thread] -= 1 }
    listeners[listener]?.open -= 1
    wakeAwaiting(listener)
    listeners[listener]?.bytesIn += bytesIn
    listeners[listener]?.bytesOut += bytesOut
    if let endpoint {
      if reportsEveryEnd || listeners[listener]?.balancer.isLeaving(endpoint) == true { isReportDue = true }
      if let failure {
        listeners[listener]?.balancer.failed(endpoint, failure)
      } else {
        listeners[listener]?.balancer.closed(endpoint, bytesIn: bytesIn, bytesOut: bytesOut)
      }
    }
    if listeners[listener]?.inTable == false, listeners[listener]?.open == 0 { listeners[listener] = nil }
  }

  /// Whether connections that wait for this endpoint had better try another.
  func isGone(_ endpoint: EndpointHandle, of listener: Int) -> Bool {
    listeners[listener]?.balancer.endpoint(endpoint) == nil
  }

  /// Whether somebody may be waiting for this endpoint's connections to end.
  func isLeaving(_ endpoint: EndpointHandle, of listener: Int) -> Bool {
    listeners[listener]?.balancer.isLeaving(endpoint) != false
  }

  mutating func takeReportDue() -> Bool {
    defer { isReportDue = false }
    return isReportDue
  }

  mutating func makeReportDue() { isReportDue = true }
}
