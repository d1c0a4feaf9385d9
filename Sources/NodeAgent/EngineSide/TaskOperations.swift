// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import ClusterRPC
import EngineClient
import Logging

/// The engine calls behind a controller's actions. Each can be repeated after a crash at any point: what is there is adopted.
struct TaskOperations: Sendable {
  let engine: any Engine
  let clusterID: String
  let hostname: String
  let platform: NodeDescription.Platform
  let sealer: any Sealer
  let files: any TaskFiles
  let clock: AgentClock
  let logger: Logger
  /// Four at a time is what an engine is fastest with; stops are not counted.
  let slots = Slots(4)
  let networkLock = Slots(1)

  /// What a node has for its tasks' networks.
  struct Ground: Sendable {
    /// The node's ingress subnet.
    var subnet: IPv4Subnet?
    /// What packets to other nodes may have.
    var mtu: UInt32?
    /// Those of the assignment.
    var overlays: [String: OverlayNetwork] = [:]
    /// Secrets and configs of the assignment, by id.
    var payloads: [String: AssignedPayload] = [:]
  }

  /// Image, networks, files, container.
  func prepare(_ task: ClusterTask, on ground: Ground) async -> Result<ContainerState, TaskFailure> {
    await result {
      try await checkFields(task.template.spec.containerSpec)
      let context = TemplateContext(task: task, hostname: hostname, platform: platform)
      let places = try await places(of: task, ground)
      let body = ContainerBody(
        task: task, clusterID: clusterID, context: context, places: places, files: mounts(of: task))
      let json = try body.json()
      try await ensureImage(of: task.template)
      // Without an address of its own the engine would choose one, maybe another task's.
      if task.usesIngress { try await ensureIngressNetwork(task.ingressAddress == nil ? nil : ground.subnet, mtu: ground.mtu) }
      for place in places { try await ensure(place.network, mtu: ground.mtu) }
      try placeEmptyFiles(of: task)
      return try await slots.withSlot {
        try await retrying {
          let container = try await createOrAdopt(task, json)
          try await connect(container, body.laterPlaces)
          return container
        }
      }
    }
  }

  private func places(of task: ClusterTask, _ ground: Ground) async throws -> [OverlayPlace] {
    let missing = task.overlayTargets.subtracting(task.addresses.map(\.networkID))
    guard missing.isEmpty else {
      throw TaskFailure(.refused, "node is missing network attachments, ip addresses may be exhausted")
    }
    if task.addresses.isEmpty { return [] }
    let version = try await retrying { try await engine.apiVersion() }
    var places: [OverlayPlace] = []
    for given in task.addresses {
      guard let network = ground.overlays[given.networkID] else {
        throw TaskFailure(.refused, "network \(given.networkID) not found")
      }
      places.append(OverlayPlace(network: network, address: given.address, version: version))
    }
    return places
  }

  /// Starts a container that has never been started; one that has is left as it is.
  func start(_ task: ClusterTask, _ id: String, on ground: Ground) async -> Result<ContainerState, TaskFailure> {
    await result {
      try await slots.withSlot {
        try await retrying {
          let found = try await existing(id, task)
          guard found.phase == .created, found.exitCode == 0, found.error.isEmpty else { return found }
          try placeFiles(of: task, in: found, ground)
          do { try await engine.startContainer(id) } catch let error as EngineError where !error.isTransient {
            throw TaskFailure(.refused, EngineMessages.inSwarmsWords("\(error)"), container: try await inspect(id))
          }
          return try await existing(id, task)
        }
      }
    }
  }

  /// With the spec's grace period. `nil` when there is no such container.
  func stop(_ task: ClusterTask, _ id: String) async -> Result<ContainerState?, TaskFailure> {
    await result {
      try await retrying {
        let found = try await inspect(id)
        guard found?.phase == .running else { return found }
        do {
          try await engine.stopContainer(id, timeout: task.template.spec.containerSpec?.stopSeconds)
        } catch let error as EngineError where error.code == .notFound {
          return nil
        }
        return try await inspect(id)
      }
    }
  }

  /// By id or name, with the volumes that have no name. What does not carry the cluster's label is not touched.
  func remove(_ container: String) async -> Result<Void, TaskFailure> {
    await result {
      try await retrying {
        do {
          let found = try await engine.container(container)
          guard found.config.labels[Labels.cluster] == clusterID else { return }
          try await engine.removeContainer(found.id, force: true, volumes: true)
        } catch let error as EngineError where error.code == .notFound {}
      }
    }
  }

  func inspect(_ id: String) async throws -> ContainerState? {
    do {
      return ContainerState(try await engine.container(id).value)
    } catch let error as EngineError where error.code == .notFound {
      return nil
    }
  }

  /// The first one, by its id on this host; `nil` when the container does not run.
  func process(of container: String) async throws -> Int? {
    guard let found = try await inspect(container), found.phase == .running, found.pid > 0 else { return nil }
    return found.pid
  }

  private func createOrAdopt(_ task: ClusterTask, _ body: JSONValue) async throws -> ContainerState {
    do {
      return ContainerState(id: try await engine.createContainer(name: task.name, config: body).id)
    } catch let error as EngineError where error.code == .conflict {
      let found = try await engine.container(task.name)
      let labels = found.config.labels
      guard labels[Labels.cluster] == clusterID, labels[Labels.swarmTaskID] == task.id else { throw error }
      return ContainerState(found.value)
    }
  }

  private func existing(_ id: String, _ task: ClusterTask) async throws -> ContainerState {
    guard let found = try await inspect(id) else { throw TaskFailure(.refused, "No such container: \(task.name)") }
    return found
  }
}
