// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import ClusterStore

/// How a client names an object: by whole id, else by whole name without regard to case, else by the only id that starts so.
package enum Lookup {
  /// Throws 404 when nothing matches and 400 when more than one does. `exact` and `named` are for the callers that have an index.
  package static func find<Object>(
    _ reference: String, kind: String, exact: Object?, named: () -> [Object], all: () -> some Sequence<Object>,
    id: (Object) -> String
  ) throws(APIError) -> Object {
    if let exact { return exact }
    var found = named()
    if found.isEmpty, !reference.isEmpty { found = all().filter { id($0).hasPrefix(reference) } }
    if found.count > 1 { throw .badRequest("\(kind) \(reference) is ambiguous (\(found.count) matches found)") }
    guard let only = found.first else { throw APIError(status: 404, "\(kind) \(reference) not found") }
    return only
  }
}

extension ClusterStore {
  package func lookUpService(_ reference: String) throws(APIError) -> Service {
    try Lookup.find(
      reference, kind: "service", exact: services[reference], named: { service(named: reference).map { [$0] } ?? [] },
      all: { services.values }, id: \.id)
  }

  package func lookUpNode(_ reference: String) throws(APIError) -> Node {
    let wanted = reference.lowercased()
    return try Lookup.find(
      reference, kind: "node", exact: nodes[reference],
      named: { nodes.values.filter { !wanted.isEmpty && $0.description?.hostname.lowercased() == wanted } },
      all: { nodes.values }, id: \.id)
  }

  /// Names of tasks end in their ids, so no list of names is needed.
  package func lookUpTask(_ reference: String) throws(APIError) -> ClusterTask {
    let wanted = reference.lowercased()
    let named = wanted.split(separator: ".").last.flatMap { tasks[String($0)] }
    return try Lookup.find(
      reference, kind: "task", exact: tasks[reference],
      named: { named.map { $0.name.lowercased() == wanted ? [$0] : [] } ?? [] }, all: { tasks.values }, id: \.id)
  }
}
