// SPDX-License-Identifier: Apache-2.0

/// Labels that Skep gives a meaning to.
package enum Labels {
  /// On every container, network and volume that Skep made: the cluster's id. Nothing without it is ever adopted or removed.
  package static let cluster = "skep.cluster"
  /// On an engine's network that is this host's part of an overlay network: the id of that.
  package static let network = "skep.network"
  /// On a container that a user put on overlay networks when it was made: which attachments are its.
  package static let attachment = "skep.attachment"
  /// On the same: the servers that it is to ask for other names, with spaces between.
  package static let nameservers = "skep.nameservers"
  /// On a service: how its published ports choose among tasks.
  package static let strategy = "skep.lb.strategy"
  /// The values `strategy` may have.
  package static let strategies = ["round-robin", "least-connections", "ip-hash", "random"]
  /// On a service: how many connections each of its published ports takes at a time. A number; no limit by default.
  package static let maxConnections = "skep.lb.max-connections"
  /// The values it may have.
  package static let maxConnectionsRange: ClosedRange<UInt32> = 1...1_048_576
  /// On a service: how long a connection to a published port may carry nothing. A Go duration; no limit by default.
  package static let idleTimeout = "skep.lb.idle-timeout"
  /// On a service: with `off` the packet filter leaves connections to its published ports to the relay, also where it could take them.
  package static let offload = "skep.lb.offload"
  /// The values it may have; `on` is what is without it.
  package static let offloads = ["on", "off"]
  /// On a service: how long a stopping task may keep its open connections. A Go duration; 10 s by default.
  package static let drainTimeout = "skep.drain.timeout"
  /// On a service: how long a running task may take to become ready. A Go duration; 60 s by default.
  package static let readyTimeout = "skep.ready.timeout"
  /// On a service: which others must run before its first tasks start, with `:healthy` after those that must be ready.
  package static let dependsOn = "skep.depends-on"

  /// What `drainTimeout` says among a service's labels.
  package static func drainTimeout(in labels: [String: String]) -> Duration {
    labels[drainTimeout].flatMap { GoDuration($0)?.duration } ?? defaultDrainTimeout
  }

  package static let defaultDrainTimeout = Duration.seconds(10)

  package static let swarmTask = "com.docker.swarm.task"
  package static let swarmTaskID = "com.docker.swarm.task.id"
  package static let swarmTaskName = "com.docker.swarm.task.name"
  package static let swarmNodeID = "com.docker.swarm.node.id"
  package static let swarmServiceID = "com.docker.swarm.service.id"
  package static let swarmServiceName = "com.docker.swarm.service.name"
}
