// SPDX-License-Identifier: Apache-2.0

/// What one task is to run.
package struct TaskSpec: Codable, Sendable, Hashable {
  package struct Network: Codable, Sendable, Hashable {
    package var target: String?
    package var aliases: [String]?
    package var driverOpts: [String: String]?

    package init(target: String? = nil, aliases: [String]? = nil, driverOpts: [String: String]? = nil) {
      self.target = target
      self.aliases = aliases
      self.driverOpts = driverOpts
    }
  }
  package struct LogDriver: Codable, Sendable, Hashable {
    package var name: String?
    package var options: [String: String]?
  }

  package var containerSpec: ContainerSpec?
  package var pluginSpec: JSONValue?
  package var networkAttachmentSpec: JSONValue?
  package var resources: Resources?
  package var restartPolicy: RestartPolicy?
  package var placement: Placement?
  package var networks: [Network]?
  package var logDriver: LogDriver?
  package var forceUpdate: UInt64
  package var runtime: String?
  /// Swarm's `PullOptions`: what the image is pulled with. A part of the spec, and of no JSON of it.
  package var registryAuth: Sealed?

  /// Every field but the credentials: no client may send or see them here, and the store keeps them beside the spec.
  private enum CodingKeys: CodingKey {
    case containerSpec, pluginSpec, networkAttachmentSpec, resources, restartPolicy, placement, networks, logDriver, forceUpdate
    case runtime
  }

  package init(containerSpec: ContainerSpec? = nil, restartPolicy: RestartPolicy? = nil, placement: Placement? = nil) {
    self.containerSpec = containerSpec
    self.restartPolicy = restartPolicy
    self.placement = placement
    self.forceUpdate = 0
  }
}

package struct Resources: Codable, Sendable, Hashable {
  package struct Limits: Codable, Sendable, Hashable {
    package var nanoCPUs: Int64?
    package var memoryBytes: Int64?
    package var pids: Int64?
  }
  package struct Reservations: Codable, Sendable, Hashable {
    package var nanoCPUs: Int64?
    package var memoryBytes: Int64?
    package var genericResources: [GenericResource]?

    package init(nanoCPUs: Int64? = nil, memoryBytes: Int64? = nil, genericResources: [GenericResource]? = nil) {
      self.nanoCPUs = nanoCPUs
      self.memoryBytes = memoryBytes
      self.genericResources = genericResources
    }
  }

  package var limits: Limits?
  package var reservations: Reservations?
  package var swapBytes: Int64?
  package var memorySwappiness: Int64?

  package init(limits: Limits? = nil, reservations: Reservations? = nil) {
    self.limits = limits
    self.reservations = reservations
  }
}

package struct RestartPolicy: Codable, Sendable, Hashable {
  /// `none`, `on-failure` or `any` (default).
  package var condition: String?
  /// Nanoseconds before the replacement starts; 5 s when absent.
  package var delay: Int64?
  /// 0 means without end.
  package var maxAttempts: UInt64?
  /// Nanoseconds that attempts are counted over; 0 means since the spec was written.
  package var window: Int64?

  package init(condition: String? = nil, delay: Int64? = nil, maxAttempts: UInt64? = nil, window: Int64? = nil) {
    self.condition = condition
    self.delay = delay
    self.maxAttempts = maxAttempts
    self.window = window
  }
}

package struct Placement: Codable, Sendable, Hashable {
  package struct Preference: Codable, Sendable, Hashable {
    package struct Spread: Codable, Sendable, Hashable {
      package var spreadDescriptor: String
    }
    package var spread: Spread?

    package init(spreadingOver descriptor: String) { spread = Spread(spreadDescriptor: descriptor) }
  }
  package struct Platform: Codable, Sendable, Hashable {
    package var architecture: String?
    package var os: String?
  }

  package var constraints: [String]?
  package var preferences: [Preference]?
  package var maxReplicas: UInt64?
  package var platforms: [Platform]?

  package init(constraints: [String]? = nil, maxReplicas: UInt64? = nil) {
    self.constraints = constraints
    self.maxReplicas = maxReplicas
  }
}
