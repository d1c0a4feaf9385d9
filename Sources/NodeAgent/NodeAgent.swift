// SPDX-License-Identifier: Apache-2.0

import Balancing
package import ClusterModel
package import ClusterRPC
package import EngineClient
package import Logging

/// Runs what the managers assign to this node on its engine, and keeps them informed.
///
/// Containers outlive it: a new agent adopts every container that carries the cluster's label and restarts none.
package actor NodeAgent {
  typealias Job = @Sendable () async -> Void

  let engine: any Engine
  let dispatcher: any Dispatcher
  let nodeID: String
  let clusterID: String
  let sealer: any Sealer
  let clock: AgentClock
  let logger: Logger
  let traffic: TrafficProgrammer
  let networks: any NodeNetworks
  let files: any TaskFiles
  /// What the managers said last, before this agent was started.
  let lastAssignment: Assignment?
  /// Keeps each assignment for the next agent.
  let keep: (@Sendable (Assignment) -> Void)?

  var controllers: [String: TaskController] = [:]
  /// Ending one cancels the operation, or the probe, of that task.
  var operations: [String: Signal] = [:]
  var probes: [String: Signal] = [:]
  /// The tasks of the newest assignment; `nil` before the first, when nothing may be removed yet.
  var assigned: Set<String>?
  var strangersLeaving: Set<String> = []
  var term: UInt64 = 0
  var ingressSubnet: IPv4Subnet?
  /// Of the newest assignment, by id.
  var overlays: [String: OverlayNetwork] = [:]
  /// Of the newest assignment, by id; sealed.
  var payloads: [String: AssignedPayload] = [:]
  /// Running containers on overlay networks that are no tasks.
  var guests: Set<OverlayContainer> = []
  /// What the managers were last told of these; `nil` before anything.
  var toldOfGuests: NodeMessage.AttachedContainers?
  /// Networks that a container was put on lately, and when by the monotonic clock: the managers' word of them may be on its way.
  var attaching: [String: Duration] = [:]
  /// Those that were told of last.
  var attended: Set<OverlayContainer> = []
  var outbox = StatusOutbox()
  var calls: TaskOperations?
  /// What the managers were last told of the host.
  var described: NodeDescription?

  let jobs: AsyncStream<Job>
  let addJob: AsyncStream<Job>.Continuation
  let statusWakes: AsyncStream<Void>
  let statusWake: AsyncStream<Void>.Continuation
  let guestWakes: AsyncStream<Void>
  let guestWake: AsyncStream<Void>.Continuation
  let attendWakes: AsyncStream<Void>
  let attendWake: AsyncStream<Void>.Continuation

  /// `sealer` opens the credentials, secrets and configs that come with tasks. With `lastAssignment` the agent goes on before it has heard of a manager;
  /// `keep` is given each assignment, and must not wait.
  package init(
    engine: any Engine, dispatcher: any Dispatcher, plane: any TrafficPlane, networks: any NodeNetworks,
    sockets: any TaskSockets, files: any TaskFiles, nodeID: String, clusterID: String, sealer: any Sealer, clock: AgentClock,
    logger: Logger,
    lastAssignment: Assignment? = nil,
    keep: (@Sendable (Assignment) -> Void)? = nil
  ) {
    self.lastAssignment = lastAssignment
    self.keep = keep
    self.engine = engine
    self.dispatcher = dispatcher
    self.networks = networks
    self.files = files
    self.nodeID = nodeID
    self.clusterID = clusterID
    self.sealer = sealer
    self.clock = clock
    self.logger = logger
    traffic = TrafficProgrammer(
      plane: plane, networks: networks, sockets: sockets, dispatcher: dispatcher, clock: clock, logger: logger)
    // Emptied at once into the task group; a task has at most an operation, a probe and two timers in it.
    (jobs, addJob) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    (statusWakes, statusWake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    (guestWakes, guestWake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    (attendWakes, attendWake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// Until cancelled, which leaves containers and traffic as they are. Once per agent. Waits for the engine for ever.
  package func run() async throws {
    let description = try await waitForEngine()
    calls = TaskOperations(
      engine: engine, clusterID: clusterID, hostname: description.hostname, platform: description.platform, sealer: sealer,
      files: files, clock: clock, logger: logger)
    if let lastAssignment { await goOn(from: lastAssignment) }
    await withDiscardingTaskGroup { group in
      group.addTask { await self.traffic.run { try await self.process(ofTask: $0) } }
      group.addTask { await self.sendStatuses() }
      group.addTask { await self.attendContainers() }
      group.addTask { await self.followGuests() }
      group.addTask { await self.lookAtGuests() }
      group.addTask { await self.followManagers(description) }
      group.addTask { await self.followEngine() }
      group.addTask { await self.lookAroundRegularly() }
      group.addTask { await self.describeRegularly() }
      for await job in jobs { group.addTask { await job() } }
      group.cancelAll()
    }
    try Task.checkCancellation()
  }

  /// Gives an event to a task's controller and does what it says.
  func deliver(_ event: TaskController.Event, to task: String) async {
    guard let actions = controllers[task]?.handle(event, at: clock.now()) else { return }
    await perform(actions, of: task)
  }
}
