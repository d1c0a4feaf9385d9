// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

extension Balancer {
  /// One endpoint's counts. `inTable` is false for one that only waits for its connections to end.
  package struct Load: Hashable, Sendable {
    package let endpoint: Endpoint
    package let inTable: Bool
    package let open: Int
    package let tally: Tally
  }

  package var loads: [(handle: EndpointHandle, load: Load)] {
    slots.indices.filter { slots[$0].isUsed }.map { index in
      let slot = slots[index]
      let load = Load(endpoint: slot.endpoint, inTable: slot.inTable, open: slot.open, tally: slot.tally)
      return (EndpointHandle(index: Int32(index), life: slot.life), load)
    }
  }

  /// All connections open to any endpoint, those that left the table included.
  package var open: Int { slots.reduce(0) { $0 + $1.open } }

  package var readyCount: Int { rotation.count }

  /// What all endpoints have had, those that are gone included.
  package var tally: Tally { slots.reduce(into: departed) { if $1.isUsed { $0.add($1.tally) } } }

  /// `nil` once the endpoint has left the table, even while it has open connections.
  package func endpoint(_ handle: EndpointHandle) -> Endpoint? {
    isCurrent(handle) && slots[Int(handle.index)].inTable ? slots[Int(handle.index)].endpoint : nil
  }

  package func destination(_ handle: EndpointHandle) -> (address: IPv4Address, port: UInt16) {
    (slots[Int(handle.index)].endpoint.address, slots[Int(handle.index)].endpoint.port)
  }

  /// True when somebody may be waiting for this endpoint's connections to end.
  package func isLeaving(_ handle: EndpointHandle) -> Bool {
    !slots[Int(handle.index)].inTable || slots[Int(handle.index)].endpoint.state == .draining
  }

  package mutating func opened(_ handle: EndpointHandle) {
    slots[Int(handle.index)].open += 1
    slots[Int(handle.index)].tally.total += 1
  }

  /// Ends what `opened` began. The handle of an endpoint that left the table is invalid after its last one.
  package mutating func closed(_ handle: EndpointHandle, bytesIn: UInt64 = 0, bytesOut: UInt64 = 0) {
    guard isCurrent(handle), slots[Int(handle.index)].open > 0 else { return }
    slots[Int(handle.index)].tally.bytesIn += bytesIn
    slots[Int(handle.index)].tally.bytesOut += bytesOut
    slots[Int(handle.index)].open -= 1
    releaseIfUnused(Int(handle.index))
  }

  /// The endpoint has taken the connection, this many nanoseconds after it was asked to.
  package mutating func accepted(_ handle: EndpointHandle, after latency: UInt64) {
    slots[Int(handle.index)].tally.latency.record(latency)
  }

  /// Ends what `opened` began when the endpoint did not take the connection.
  package mutating func failed(_ handle: EndpointHandle, _ reason: ConnectFailure) {
    guard isCurrent(handle), slots[Int(handle.index)].open > 0 else { return }
    slots[Int(handle.index)].tally.total -= 1
    slots[Int(handle.index)].tally.failures.count(reason)
    closed(handle)
  }

  /// Connections to endpoints of this listener that other processes have, such as those of a relay that was replaced, by the
  /// endpoints' ids. Those with the fewest connections are chosen by the sum.
  package mutating func connectionsElsewhere(_ counts: [String: Int]) {
    elsewhere = counts
    for index in slots.indices where slots[index].isUsed { slots[index].elsewhere = counts[slots[index].endpoint.id] ?? 0 }
  }

  mutating func replaceEndpoints(_ endpoints: [Endpoint]) {
    let before = Set(rotation)
    var known: [String: Int] = [:]
    for index in slots.indices where slots[index].isUsed {
      known[slots[index].endpoint.id] = index
      slots[index].inTable = false
    }
    let handles = endpoints.map { place($0, at: known[$0.id]) }
    for index in slots.indices where slots[index].isUsed { releaseIfUnused(index) }
    rotate(toReady: zip(endpoints, handles).filter { $0.0.state == .ready }.map(\.1))
    if Set(rotation) != before { maglev = nil }
  }

  // Those who stay keep their place in the turn; those who come go to the end of it.
  private mutating func rotate(toReady ready: [EndpointHandle]) {
    let wanted = Set(ready)
    let kept = (rotation[turn...] + rotation[..<turn]).filter(wanted.contains)
    let present = Set(kept)
    rotation = kept + ready.filter { !present.contains($0) }
    turn = 0
  }

  private mutating func place(_ endpoint: Endpoint, at known: Int?) -> EndpointHandle {
    if let known {
      slots[known].endpoint = endpoint
      slots[known].inTable = true
      return EndpointHandle(index: Int32(known), life: slots[known].life)
    }
    guard let index = free.popLast() else {
      slots.append(Slot(endpoint: endpoint, life: 0, elsewhere: elsewhere[endpoint.id] ?? 0))
      return EndpointHandle(index: Int32(slots.count - 1), life: 0)
    }
    slots[Int(index)] = Slot(
      endpoint: endpoint, life: slots[Int(index)].life &+ 1, elsewhere: elsewhere[endpoint.id] ?? 0)
    return EndpointHandle(index: index, life: slots[Int(index)].life)
  }

  private mutating func releaseIfUnused(_ index: Int) {
    guard !slots[index].inTable, slots[index].open == 0, slots[index].isUsed else { return }
    departed.add(slots[index].tally)
    slots[index].tally = Tally()
    slots[index].isUsed = false
    free.append(Int32(index))
  }

  private func isCurrent(_ handle: EndpointHandle) -> Bool {
    slots.indices.contains(Int(handle.index)) && slots[Int(handle.index)].life == handle.life
      && slots[Int(handle.index)].isUsed
  }
}
