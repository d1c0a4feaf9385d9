// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// One line of the route table.
struct SwarmRoute: Sendable {
  enum Action: Sendable {
    /// Answered in every state.
    case always(@Sendable (SwarmAPI, Call) async throws -> Response)
    /// Answered by a manager; 503 anywhere else.
    case manager(@Sendable (SwarmAPI, Call, ActiveSwarm) async throws -> Response)
    /// The engine's, after a look at it.
    case rewrite(@Sendable (SwarmAPI, Call) async throws -> Rewritten)
  }

  let method: String
  /// `/services/{id}/update`, split.
  let pattern: [Substring]
  /// What the request must have beside method and path.
  let condition: @Sendable (RequestLine) -> Bool
  let action: Action
  /// What swarm mode finds wrong with a request before it looks whether there is a swarm.
  let precheck: @Sendable (Call) throws -> Void

  init(
    _ method: String, _ pattern: String, _ action: Action, before precheck: @escaping @Sendable (Call) throws -> Void = { _ in },
    when condition: @escaping @Sendable (RequestLine) -> Bool = { _ in true }
  ) {
    self.precheck = precheck
    self.method = method
    self.condition = condition
    self.pattern = pattern.dropFirst().split(separator: "/")
    self.action = action
  }

  /// The part that stands for `{id}`, empty when the pattern has none; `nil` when the route does not match.
  func match(_ method: String, _ path: [Substring]) -> String? {
    guard self.method == method, pattern.count == path.count else { return nil }
    var id = ""
    for (wanted, part) in zip(pattern, path) {
      if wanted == "{id}", !part.isEmpty { id = String(part) } else if wanted != part { return nil }
    }
    return id
  }
}

extension SwarmRoute {
  // What is not here and not of the swarm goes to the engine, which answers unknown paths and methods with 404.
  static let table: [SwarmRoute] =
    [
      SwarmRoute("GET", "/_ping", .always { await $0.ping($1) }),
      SwarmRoute("HEAD", "/_ping", .always { await $0.ping($1) }),
      SwarmRoute("GET", "/info", .always { try await $0.info($1) }),
      SwarmRoute("GET", "/version", .always { try await $0.version($1) }),
      SwarmRoute("GET", "/events", .always { try await $0.events($1) }),

      SwarmRoute("GET", "/swarm", .manager { try await $0.inspectSwarm($1, $2) }),
      SwarmRoute("POST", "/swarm/init", .always { try await $0.initSwarm($1) }),
      SwarmRoute("POST", "/swarm/join", .always { try await $0.joinSwarm($1) }),
      SwarmRoute("POST", "/swarm/leave", .always { try await $0.leaveSwarm($1) }),
      SwarmRoute("POST", "/swarm/update", .manager { try await $0.updateSwarm($1, $2) }, before: Precheck.swarm),
      SwarmRoute("GET", "/swarm/unlockkey", .manager { _, _, _ in .json(["UnlockKey": ""]) }),
      SwarmRoute("POST", "/swarm/unlock", .always { try await $0.unlockSwarm($1) }),

      SwarmRoute("GET", "/services", .manager { try await $0.listServices($1, $2) }, before: Precheck.services),
      SwarmRoute("POST", "/services/create", .manager { try await $0.createService($1, $2) }, before: Precheck.service),
      SwarmRoute("GET", "/services/{id}", .manager { try await $0.inspectService($1, $2) }, before: Precheck.inspect),
      SwarmRoute("DELETE", "/services/{id}", .manager { try await $0.removeService($1, $2) }),
      SwarmRoute("POST", "/services/{id}/update", .manager { try await $0.updateService($1, $2) }, before: Precheck.update),
      SwarmRoute("GET", "/services/{id}/logs", .manager { try await $0.serviceLogs($1, $2) }, before: Precheck.logs),

      SwarmRoute("GET", "/tasks", .manager { try await $0.listTasks($1, $2) }, before: Precheck.list),
      SwarmRoute("GET", "/tasks/{id}", .manager { try await $0.inspectTask($1, $2) }),
      SwarmRoute("GET", "/tasks/{id}/logs", .manager { try await $0.taskLogs($1, $2) }, before: Precheck.logs),

      SwarmRoute("GET", "/nodes", .manager { try await $0.listNodes($1, $2) }, before: Precheck.list),
      SwarmRoute("GET", "/nodes/{id}", .manager { try await $0.inspectNode($1, $2) }),
      SwarmRoute("DELETE", "/nodes/{id}", .manager { try await $0.removeNode($1, $2) }),
      SwarmRoute("POST", "/nodes/{id}/update", .manager { try await $0.updateNode($1, $2) }, before: Precheck.node),

      SwarmRoute("GET", "/networks", .rewrite { try await $0.listNetworks($1) }),
      SwarmRoute("GET", "/networks/{id}", .rewrite { try await $0.inspectNetwork($1) }),
      SwarmRoute("POST", "/networks/create", .rewrite { try await $0.createNetwork($1) }),
      SwarmRoute("POST", "/networks/{id}/connect", .rewrite { try await $0.connectNetwork($1) }),
      SwarmRoute("POST", "/networks/{id}/disconnect", .rewrite { try await $0.disconnectNetwork($1) }),
      SwarmRoute("DELETE", "/networks/{id}", .rewrite { try await $0.removeNetwork($1) }),
      SwarmRoute("POST", "/networks/prune", .rewrite { try await $0.pruneNetworks($1) }),

      SwarmRoute("POST", "/containers/create", .rewrite { try await $0.createContainer($1) }),
      SwarmRoute("POST", "/volumes/create", .rewrite { try await $0.createVolume($1) }),
    ] + PayloadKind.allCases.flatMap(\.routes)
}
