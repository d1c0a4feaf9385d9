// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC

/// The managers' side: registration, assignments, statuses.
extension NodeAgent {
  func followManagers(_ description: NodeDescription) async {
    var backoff = Backoff()
    while !Task.isCancelled {
      do {
        let current = described ?? description
        try await dispatcher.register(description: current, statuses: try await statusesAtRegistration())
        described = current
        backoff = Backoff()
        await traffic.sessionBegan()
        toldOfGuests = nil
        guestWake.yield()
        for await assignment in await dispatcher.assignments() { try await apply(assignment) }
      } catch {
        if Task.isCancelled { return }
        logger.warning("no session with the managers", metadata: ["error": "\(error)"])
      }
      do { try await clock.sleep(backoff.next()) } catch { return }
    }
  }

  /// Swarm's interval: labels, plugins and resources of the engine change when it is restarted with others.
  static let describeInterval = Duration.seconds(20)

  func describeRegularly() async {
    while (try? await clock.sleep(Self.describeInterval)) != nil {
      guard let described, let info = try? await engine.info() else { continue }
      let current = NodeDescription(info)
      guard current != described else { continue }
      do {
        try await dispatcher.register(description: current, statuses: [:])
        self.described = current
        logger.info("the host has changed", metadata: ["resources": "\(current.resources)"])
      } catch {
        // The next look sees the same difference.
        logger.debug("the managers could not be told of a change of the host", metadata: ["error": "\(error)"])
      }
    }
  }

  private func statusesAtRegistration() async throws -> [String: TaskStatus] {
    var statuses = controllers.mapValues(\.status)
    guard assigned == nil else { return statuses }
    for (task, container) in try await calls?.containersByTask() ?? [:] where statuses[task] == nil {
      statuses[task] = TaskStatus(adopting: container, at: clock.now().wall)
    }
    return statuses
  }

  func apply(_ assignment: Assignment) async throws {
    guard assignment.clusterID == clusterID, assignment.term >= term else { return }
    term = assignment.term
    ingressSubnet = assignment.ingressSubnet
    keep?(assignment)
    let isFirst = assigned == nil
    assigned = Set(assignment.tasks.map(\.id))
    // First: the table has endpoints that are reached by it.
    overlays = Dictionary(assignment.networks.map { ($0.id, $0) }) { first, _ in first }
    payloads = Dictionary(assignment.payloads.map { ($0.id, $0) }) { first, _ in first }
    await networks.want(assignment.mesh, assignment.networks)
    await traffic.want(
      assignment.table, own: Set(assignment.tasks.map(\.id)), draining: Self.drainsOnOverlays(assignment))
    for task in assignment.tasks where controllers[task.id] != nil { await deliver(.assigned(task), to: task.id) }
    for id in Array(controllers.keys) where assigned?.contains(id) == false { await deliver(.unassigned, to: id) }
    try await take(assignment.tasks.filter { controllers[$0.id] == nil }, lookAround: isFirst)
  }

  /// Looks after what runs, and programs traffic, until a manager says more. What is not running is not started: the managers may have
  /// given it to another node meanwhile. Nothing is removed.
  func goOn(from last: Assignment) async {
    guard last.clusterID == clusterID, let found = try? await calls?.containersByTask() else { return }
    (term, ingressSubnet) = (last.term, last.ingressSubnet)
    overlays = Dictionary(last.networks.map { ($0.id, $0) }) { first, _ in first }
    await networks.want(last.mesh, last.networks)
    await traffic.want(last.table, own: Set(last.tasks.map(\.id)), draining: Self.drainsOnOverlays(last))
    for task in last.tasks where found[task.id]?.phase == .running {
      var controller = TaskController(task: task)
      let actions = controller.begin(found: found[task.id], at: clock.now())
      controllers[task.id] = controller
      await perform(actions, of: task.id)
    }
  }

  private static func drainsOnOverlays(_ assignment: Assignment) -> Set<String> {
    Set(assignment.tasks.filter { $0.drain != nil && !$0.addresses.isEmpty }.map(\.id))
  }

  private func take(_ tasks: [ClusterTask], lookAround: Bool) async throws {
    // A task that the node has had before may have a container; one that it has not cannot.
    let mayExist = lookAround || tasks.contains { $0.status.state > .assigned }
    let found = mayExist ? try await calls?.containersByTask() ?? [:] : [:]
    for task in tasks where controllers[task.id] == nil {
      var controller = TaskController(task: task)
      let actions = controller.begin(found: found[task.id], at: clock.now())
      controllers[task.id] = controller
      await perform(actions, of: task.id)
    }
    // For what ended between the two, and for strangers; when the engine is away just now, the next look does it.
    if lookAround { try? await self.lookAround() }
  }

  func sendStatuses() async {
    for await _ in statusWakes {
      var backoff = Backoff()
      var hasFailed = false
      while !outbox.isEmpty {
        let batch = outbox.take()
        do {
          try await dispatcher.update(statuses: batch)
          backoff = Backoff()
          if hasFailed { logger.info("states of tasks are recorded again") }
          hasFailed = false
        } catch {
          outbox.putBack(batch)
          if !hasFailed, !Task.isCancelled {
            logger.error("states of tasks cannot be recorded; trying again", metadata: ["error": "\(error)"])
          }
          hasFailed = true
          do { try await clock.sleep(backoff.next()) } catch { return }
        }
      }
    }
  }
}

extension TaskStatus {
  /// What a container says by itself, before the assignment tells what it is meant to be. `nil` where that is not enough: an
  /// ended one may have been told to end, and a running one without health check may not accept connections yet.
  init?(adopting container: ContainerState, at time: Timestamp) {
    switch (container.phase, container.health) {
    case (.running, .healthy): self.init(state: .running, timestamp: time, message: "started", isReady: true)
    case (.running, .starting): self.init(state: .starting, timestamp: time, message: "starting")
    case (.created, _) where container.exitCode == 0 && container.error.isEmpty:
      self.init(state: .ready, timestamp: time, message: "prepared")
    default: return nil
    }
    containerID = container.id
    pid = container.pid
    hostPorts = container.hostPorts
  }
}
