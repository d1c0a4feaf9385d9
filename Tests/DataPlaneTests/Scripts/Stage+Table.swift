// SPDX-License-Identifier: Apache-2.0

@testable import Balancing
@testable import DataPlane

// Tables and counts.
extension Stage {
  func change(_ step: Step) throws {
    switch step {
    case .serve(let places, let name, let strategy, let transport): try serve(name, transport, strategy, places)
    case .withdraw(let name): withdraw(name)
    case .move(let name, let heir, let places):
      let port = try listener(name).address
      withdraw(name)
      withdrawn[name] = nil
      let endpoints = try places.map { try servers.endpoint($0, port.transport) }
      listeners.append(Listener(id: heir, port: port.number, transport: port.transport, endpoints: endpoints))
    default: break
    }
    let ports = try relay.program(listeners)
    for (index, port) in ports.enumerated() { listeners[index].port = port }
  }

  private func serve(_ name: String, _ transport: Transport, _ strategy: Strategy, _ places: [Place]) throws {
    let endpoints = try places.map { try servers.endpoint($0, transport) }
    withdrawn[name] = nil
    if let known = listeners.firstIndex(where: { $0.id == name }) {
      (listeners[known].strategy, listeners[known].endpoints) = (strategy, endpoints)
    } else {
      listeners.append(Listener(id: name, port: 0, transport: transport, strategy: strategy, endpoints: endpoints))
    }
  }

  private func withdraw(_ name: String) {
    withdrawn[name] = listeners.first { $0.id == name }
    listeners.removeAll { $0.id == name }
  }

  func count(_ step: Step) throws {
    var found = ""
    do {
      try until("\(step)") {
        let counters = try relay.counters()
        found = "\(counters.map(Self.summary))"
        return Self.agrees(counters, step)
      }
    } catch is Mismatch {
      throw Mismatch(found)
    }
  }

  private static func agrees(_ counters: [ListenerCounters], _ step: Step) -> Bool {
    switch step {
    case .open(let wanted): sums(counters) { Int($0.open) }.agree(with: wanted)
    case .totals(let wanted): sums(counters) { Int($0.total) }.agree(with: wanted)
    case .failures(let wanted): sums(counters) { Int($0.failures) }.agree(with: wanted)
    case .refused(let wanted, let name): counters.first { $0.id == name }.map { Int($0.refused) } == wanted
    case .bytes(let wantedIn, let wantedOut):
      counters.first.map { (Int($0.bytesIn), Int($0.bytesOut)) == (wantedIn, wantedOut) } ?? false
    default: false
    }
  }

  private static func sums(_ counters: [ListenerCounters], _ value: (ListenerCounters.Endpoint) -> Int) -> [String: Int] {
    counters.flatMap(\.endpoints).reduce(into: [:]) { $0[$1.id, default: 0] += value($1) }
  }

  private static func summary(_ listener: ListenerCounters) -> String {
    let endpoints = listener.endpoints.map { "\($0.id): \($0.open) open, \($0.total) in all, \($0.failures) failed" }
    return "\(listener.id): \(listener.refused) refused, \(listener.bytesIn) in, \(listener.bytesOut) out, \(endpoints)"
  }
}

extension [String: Int] {
  /// Zero and missing are the same.
  fileprivate func agree(with other: [String: Int]) -> Bool { filter { $0.value != 0 } == other.filter { $0.value != 0 } }
}
