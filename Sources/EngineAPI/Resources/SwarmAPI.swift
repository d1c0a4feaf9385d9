// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import EngineClient

/// Answers the swarm's part of the Engine API: `/swarm`, `/services`, `/tasks`, `/nodes` and what of the rest depends on them.
/// Everything else is the engine's.
package struct SwarmAPI: Responder {
  let control: any SwarmControl
  let engine: any Engine
  let eventLog: EventLog
  let now: @Sendable () -> Timestamp
  let infoCache = InfoCache()
  let readyServices = ServiceList.Ready()
  let readyTasks = TaskList.Ready()

  /// `now` is the wall clock that objects' times are taken from. Whoever has the stores lets `eventLog` follow them.
  package init(
    control: any SwarmControl, engine: any Engine, eventLog: EventLog, now: @escaping @Sendable () -> Timestamp
  ) {
    self.control = control
    self.engine = engine
    self.eventLog = eventLog
    self.now = now
  }

  /// The engine's, at most our own newest version.
  package var announcement: Announcement {
    get async {
      var announcement = Announcement()
      guard let greeting = try? await engine.greeting() else { return announcement }
      announcement.apiVersion = greeting.apiVersion
      announcement.isExperimental = greeting.isExperimental
      return announcement
    }
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
      return try await respond(to: Call(request: request, id: id), by: route)
    } catch {
      throw APIError.from(error)
    }
  }

  private func respond(to call: Call, by route: SwarmRoute) async throws -> Response {
    switch route.action {
    case .always(let handle): return try await handle(self, call)
    case .manager(let handle):
      let state = await control.state
      guard case .active(let swarm) = state else {
        try route.precheck(call)
        throw Self.refusal(in: state)
      }
      return try await handle(self, call, swarm)
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

  private static func refusal(in state: SwarmState) -> APIError {
    switch state {
    case .inactive: APIError(status: 503, SwarmText.noSwarm)
    case .pending, .active: APIError(status: 503, SwarmText.notReady)
    case .worker(let worker): APIError(status: 503, worker.error ?? SwarmText.worker)
    case .failed(let reason): APIError(status: 503, "This node is not a swarm manager: \(reason)")
    }
  }
}

/// Texts that several endpoints share.
enum SwarmText {
  static let noSwarm =
    #"This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again."#
  static let notReady =
    "This node is not a swarm manager. Manager is being prepared or has trouble connecting to the cluster."
  static let worker =
    "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run this command on a "
    + "manager node or promote the current node to a manager."
  static let joinTimeout =
    "Timeout was reached before node joined. The attempt to join the swarm will continue in the background. Use the \"docker info\" "
    + "command to see the current swarm status of your node."
  static let alreadyInSwarm =
    #"This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one."#
  static let notInSwarm = "This node is not part of a swarm"
}
