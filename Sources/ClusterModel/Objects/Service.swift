// SPDX-License-Identifier: Apache-2.0

/// A service: its spec, written for a user, and its state, written by the control loops. The store keeps the two apart.
package struct Service: Sendable, Hashable {
  package struct UpdateStatus: Codable, Sendable, Hashable {
    package enum State: String, Codable, Sendable {
      case updating, paused, completed
      case rollbackStarted = "rollback_started"
      case rollbackPaused = "rollback_paused"
      case rollbackCompleted = "rollback_completed"
    }

    package var state: State
    package var startedAt: Timestamp
    package var completedAt: Timestamp?
    package var message: String

    package init(state: State, startedAt: Timestamp, completedAt: Timestamp? = nil, message: String) {
      self.state = state
      self.startedAt = startedAt
      self.completedAt = completedAt
      self.message = message
    }
  }

  /// What the allocator gave for a spec version.
  package struct Endpoint: Codable, Sendable, Hashable {
    package var spec: EndpointSpec
    package var ports: [PortConfig]
    /// The service's address on the ingress network; `nil` when it has no ingress ports, or no address was free.
    package var virtualIP: IPv4Address?
    /// Its addresses on overlay networks, in the order of its spec; absent in what older releases stored.
    package var virtualIPs: [NetworkAddress]?

    package init(
      spec: EndpointSpec, ports: [PortConfig], virtualIP: IPv4Address? = nil, virtualIPs: [NetworkAddress] = []
    ) {
      self.spec = spec
      self.ports = ports
      self.virtualIP = virtualIP
      self.virtualIPs = virtualIPs.isEmpty ? nil : virtualIPs
    }
  }

  /// Where a job is: every update begins another run.
  package struct JobStatus: Codable, Sendable, Hashable {
    /// 0 for the first run.
    package var iteration: UInt64
    package var lastExecution: Timestamp
  }

  package let id: String
  package var spec: ServiceSpec
  package var previousSpec: ServiceSpec?
  package let createdAt: Timestamp
  package var updatedAt: Timestamp
  /// Written together with the spec; `nil` for what is no job.
  package var jobStatus: JobStatus?
  /// `Version.Index`: the store version of the last spec write; 0 before the first.
  package var version: UInt64 = 0

  /// `nil` until the allocator has seen the service.
  package var endpoint: Endpoint?
  package var updateStatus: UpdateStatus?

  package init(id: String, spec: ServiceSpec, createdAt: Timestamp) {
    self.id = id
    self.spec = spec
    self.createdAt = createdAt
    self.updatedAt = createdAt
  }

  package var name: String { spec.name ?? "" }
  /// One task on every node that fits, rather than a number of slots.
  package var isGlobal: Bool { spec.mode.global != nil || spec.mode.globalJob != nil }
  package var isJob: Bool { spec.mode.isJob }
  /// Which run its tasks are made for; `nil` for what is no job.
  package var jobIteration: UInt64? { isJob ? jobStatus?.iteration ?? 0 : nil }
  /// What its tasks are to reach.
  package var goal: TaskState { isJob ? .complete : .running }
  package var replicas: Int { Int(clamping: spec.mode.replicated?.replicas ?? 0) }
}

extension Service {
  /// Begins a job's first run, or another. Nothing for what is no job.
  package mutating func beginRun(at time: Timestamp) {
    guard isJob else { return }
    jobStatus = JobStatus(iteration: jobStatus.map { $0.iteration + 1 } ?? 0, lastExecution: time)
  }
}
