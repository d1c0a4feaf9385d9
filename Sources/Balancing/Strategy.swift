// SPDX-License-Identifier: Apache-2.0

/// How a listener chooses the endpoint of a new connection; the value of the service label `skep.lb.strategy`.
package enum Strategy: UInt8, CaseIterable, Codable, Sendable {
  /// Each ready endpoint in turn, exactly.
  case roundRobin = 0
  /// The ready endpoint with the fewest open connections; equal ones in turn.
  case leastConnections = 1
  /// The same client address keeps its endpoint while that is ready; few clients move when the endpoints change.
  case ipHash = 2
  case random = 3

  /// What a service without the label gets.
  package static let standard = Strategy.roundRobin

  /// Every accepted label, in the order an error message should list them.
  package static let allNames = allCases.map(\.name)

  /// `nil` for anything but the exact names in `allNames`.
  package init?(label: String) {
    guard let strategy = Self.allCases.first(where: { $0.name == label }) else { return nil }
    self = strategy
  }

  package var name: String {
    switch self {
    case .roundRobin: "round-robin"
    case .leastConnections: "least-connections"
    case .ipHash: "ip-hash"
    case .random: "random"
    }
  }
}
