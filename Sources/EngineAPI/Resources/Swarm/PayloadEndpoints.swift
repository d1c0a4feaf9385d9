// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// Secrets and configs: this release keeps none, and says so where a client tries.
enum PayloadKind: String, CaseIterable {
  case secret, config

  var routes: [SwarmRoute] {
    let keys: Set<String> = self == .secret ? ["id", "name", "names", "label"] : ["id", "name", "label"]
    let missing: @Sendable (SwarmAPI, Call, ActiveSwarm) async throws -> Response = { _, call, _ in
      throw APIError(status: 404, "\(rawValue) \(call.id) not found")
    }
    return [
      SwarmRoute(
        "GET", "/\(rawValue)s",
        .manager { _, call, _ in
          _ = try Filters(call.query["filters"], allowed: keys)
          return .json([])
        }, before: Precheck.list),
      SwarmRoute(
        "POST", "/\(rawValue)s/create",
        .manager { _, call, _ in
          try Precheck.body(call)
          throw APIError.rpc(.unimplemented, "\(rawValue)s are not supported by this release of Skep")
        }, before: Precheck.body),
      SwarmRoute("GET", "/\(rawValue)s/{id}", .manager(missing)),
      SwarmRoute("DELETE", "/\(rawValue)s/{id}", .manager(missing)),
      SwarmRoute("POST", "/\(rawValue)s/{id}/update", .manager(missing)),
    ]
  }
}
