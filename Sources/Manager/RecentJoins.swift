// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// Who has joined lately, by what was to be signed: a host whose answer was lost asks again, and is the same node.
struct RecentJoins: Sendable {
  /// A host that joined and has not registered by then is none: its entry goes.
  static let patience = Duration.seconds(600)
  /// More are forgotten, the oldest first.
  private static let limit = 4_096

  private var nodes: [String: String] = [:]
  private var order: [String] = []

  func node(_ signingRequest: String) -> String? { nodes[signingRequest] }

  mutating func remember(_ node: String, _ signingRequest: String) {
    // What is empty says nothing of who asks.
    guard !signingRequest.isEmpty, nodes.updateValue(node, forKey: signingRequest) == nil else { return }
    order.append(signingRequest)
    if order.count > Self.limit { nodes[order.removeFirst()] = nil }
  }
}

extension Node {
  /// Joined, and never heard of since.
  func isAbandoned(at now: Timestamp) -> Bool { !isManager && description == nil && createdAt + RecentJoins.patience < now }
}
