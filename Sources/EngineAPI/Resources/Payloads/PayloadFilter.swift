// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// Which secrets or configs a list request wants. Other than in the lists of other objects, one of the keys that name is enough.
package struct PayloadFilter: Sendable {
  private let kind: PayloadKind
  private let filters: Filters

  package init(_ text: String?, kind: PayloadKind) throws(APIError) {
    self.kind = kind
    filters = try Filters(text, allowed: kind == .secret ? ["id", "name", "names", "label"] : ["id", "name", "label"])
  }

  package func matches(_ payload: Payload) -> Bool {
    payload.kind == kind && (isUnnamed || isNamed(payload)) && filters.matchesLabels("label", payload.spec.labels)
  }

  private var isUnnamed: Bool { ["id", "name", "names"].allSatisfy { !filters.contains($0) } }

  private func isNamed(_ payload: Payload) -> Bool {
    let name = payload.name.lowercased()
    return filters["id"].contains { payload.id.hasPrefix($0) } || filters["name"].contains { name.hasPrefix($0.lowercased()) }
      || filters["names"].contains { name == $0.lowercased() }
  }
}
