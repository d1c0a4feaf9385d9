// SPDX-License-Identifier: Apache-2.0

/// What a user asks for: the body of `POST /services/create`, kept and returned in its canonical form.
package struct ServiceSpec: Codable, Sendable, Hashable {
  package var name: String?
  package var labels: [String: String]
  package var taskTemplate: TaskSpec
  package var mode: ServiceMode
  package var updateConfig: UpdateConfig?
  package var rollbackConfig: UpdateConfig?
  package var endpointSpec: EndpointSpec?

  package init(
    name: String, labels: [String: String] = [:], taskTemplate: TaskSpec = TaskSpec(), mode: ServiceMode = .replicated(1),
    updateConfig: UpdateConfig? = nil, endpointSpec: EndpointSpec? = nil
  ) {
    self.name = name
    self.labels = labels
    self.taskTemplate = taskTemplate
    self.mode = mode
    self.updateConfig = updateConfig
    self.endpointSpec = endpointSpec
  }
}

/// Exactly one member is set once the spec has passed validation.
package struct ServiceMode: Codable, Sendable, Hashable {
  package struct Replicated: Codable, Sendable, Hashable {
    package var replicas: UInt64?
    package init(replicas: UInt64?) { self.replicas = replicas }
  }
  package struct ReplicatedJob: Codable, Sendable, Hashable {
    /// Tasks that run at a time.
    package var maxConcurrent: UInt64?
    /// Slots, each of which is done when a task of it has ended well.
    package var totalCompletions: UInt64?

    package init(maxConcurrent: UInt64?, totalCompletions: UInt64?) {
      self.maxConcurrent = maxConcurrent
      self.totalCompletions = totalCompletions
    }
  }
  package struct Empty: Codable, Sendable, Hashable {
    package init() {}
  }

  package var replicated: Replicated?
  package var global: Empty?
  package var replicatedJob: ReplicatedJob?
  package var globalJob: Empty?

  package static func replicated(_ replicas: UInt64) -> ServiceMode { ServiceMode(replicated: Replicated(replicas: replicas)) }
  package static let global = ServiceMode(global: Empty())
  package static let globalJob = ServiceMode(globalJob: Empty())
  package static func job(_ total: UInt64, atOnce: UInt64) -> ServiceMode {
    ServiceMode(replicatedJob: ReplicatedJob(maxConcurrent: atOnce, totalCompletions: total))
  }

  /// Its tasks run to their end.
  package var isJob: Bool { replicatedJob != nil || globalJob != nil }
}

/// How tasks are replaced; the same shape serves updates and rollbacks.
package struct UpdateConfig: Codable, Sendable, Hashable {
  /// Slots worked on at a time; 0 means all.
  package var parallelism: UInt64
  /// Nanoseconds between slots of one worker.
  package var delay: Int64?
  package var failureAction: String?
  /// Nanoseconds to watch a new task after it runs; 5 s when absent or zero.
  package var monitor: Int64?
  package var maxFailureRatio: Float
  package var order: String?

  package init(parallelism: UInt64 = 1, delay: Int64? = nil, failureAction: String? = nil, order: String? = nil) {
    self.parallelism = parallelism
    self.delay = delay
    self.failureAction = failureAction
    self.maxFailureRatio = 0
    self.order = order
  }
}

package struct EndpointSpec: Codable, Sendable, Hashable {
  package var mode: String?
  package var ports: [PortConfig]?

  package init(mode: String? = nil, ports: [PortConfig]? = nil) {
    self.mode = mode
    self.ports = ports
  }
}

package struct PortConfig: Codable, Sendable, Hashable {
  package var name: String?
  /// `tcp` (default), `udp` or `sctp`.
  package var `protocol`: String?
  package var targetPort: UInt32?
  /// Absent or 0 asks for a port from 30000–32767.
  package var publishedPort: UInt32?
  /// `ingress` (default) or `host`.
  package var publishMode: String?

  package init(targetPort: UInt32, publishedPort: UInt32?, protocol: String? = nil, publishMode: String? = nil) {
    self.targetPort = targetPort
    self.publishedPort = publishedPort
    self.protocol = `protocol`
    self.publishMode = publishMode
  }

  package var isIngress: Bool { publishMode == nil || publishMode == "" || publishMode == "ingress" }
  package var transport: String { `protocol`.flatMap { $0.isEmpty ? nil : $0 } ?? "tcp" }
}
