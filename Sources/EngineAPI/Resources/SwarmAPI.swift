// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import EngineClient

/// Answers the swarm's part of the Engine API: `/swarm`, `/services`, `/tasks`, `/nodes` and what of the rest depends on them.
/// Everything else is the engine's.
package struct SwarmAPI: Responder {
  let control: any SwarmControl
  let engine: any Engine
  let now: @Sendable () -> Timestamp
  let infoCache = InfoCache()

  /// `now` is the wall clock that objects' times are taken from.
  package init(control: any SwarmControl, engine: any Engine, now: @escaping @Sendable () -> Timestamp) {
    self.control = control
    self.engine = engine
    self.now = now
  }

  /// The lower of the engine's and our own newest.
  package var announcedVersion: String {
    get async { (try? await engine.apiVersion()) ?? "\(APIVersion.newest)" }
  }

  package func route(_ line: RequestLine) -> Route {
    guard let (route, id) = find(line) else { return Self.isOfSwarm(line) ? .ours : .pipe }
    guard case .rewrite(let change) = route.action else { return .ours }
    return .rewrite { request in
      do { return try await change(self, Call(request: request, id: id)) } catch { throw APIError.from(error) }
    }
  }

  package func respond(to request: Request) async throws -> Response {
    guard let (route, id) = find(request.line) else { throw APIError(status: 404, "page not found") }
    do {
      return try await respond(to: Call(request: request, id: id), by: route.action)
    } catch {
      throw APIError.from(error)
    }
  }

  private func respond(to call: Call, by action: SwarmRoute.Action) async throws -> Response {
    switch action {
    case .always(let handle): try await handle(self, call)
    case .manager(let handle): try await handle(self, call, try await activeSwarm())
    case .rewrite: throw APIError(status: 404, "page not found")
    }
  }

  /// Never the engine's, whatever stands around it: what the engine takes for `1.41` (`/v1.41.0/swarm/init`) we need not know, and
  /// its own swarm mode must not be turned on beside us.
  private static func isOfSwarm(_ line: RequestLine) -> Bool {
    var parts = line.path.split(separator: "/")[...]
    if let first = parts.first, first.hasPrefix("v"), first.dropFirst().allSatisfy({ $0 == "." || $0.isNumber }) {
      parts.removeFirst()
    }
    return parts.first.map { ["swarm", "services", "tasks", "nodes", "secrets", "configs"].contains($0) } ?? false
  }

  private func find(_ line: RequestLine) -> (SwarmRoute, id: String)? {
    let path = line.path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    for route in SwarmRoute.table {
      if let id = route.match(line.method, path), route.condition(line) { return (route, id) }
    }
    return nil
  }

  func activeSwarm() async throws -> ActiveSwarm {
    switch await control.state {
    case .active(let swarm): return swarm
    case .inactive: throw APIError(status: 503, SwarmText.noSwarm)
    case .pending: throw APIError(status: 503, SwarmText.notReady)
    case .failed(let reason): throw APIError(status: 503, "This node is not a swarm manager: \(reason)")
    }
  }
}

/// Texts that several endpoints share.
enum SwarmText {
  static let noSwarm =
    #"This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again."#
  static let notReady =
    "This node is not a swarm manager. Manager is being prepared or has trouble connecting to the cluster."
  static let alreadyInSwarm =
    #"This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one."#
  static let notInSwarm = "This node is not part of a swarm"
}
