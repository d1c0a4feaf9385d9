// SPDX-License-Identifier: Apache-2.0

/// What a node's agent says of its host at registration.
package struct NodeDescription: Codable, Sendable, Hashable {
  package struct Platform: Codable, Sendable, Hashable {
    package var architecture: String
    package var os: String
    package init(architecture: String, os: String) {
      self.architecture = architecture
      self.os = os
    }
  }
  package struct Capacity: Codable, Sendable, Hashable {
    package var nanoCPUs: Int64
    package var memoryBytes: Int64
    /// Absent in what older releases stored.
    package var genericResources: [GenericResource]?
    package init(nanoCPUs: Int64, memoryBytes: Int64, genericResources: [GenericResource] = []) {
      self.nanoCPUs = nanoCPUs
      self.memoryBytes = memoryBytes
      self.genericResources = genericResources.isEmpty ? nil : genericResources
    }
  }
  package struct Engine: Codable, Sendable, Hashable {
    package struct Plugin: Codable, Sendable, Hashable {
      package var type: String
      package var name: String
      package init(type: String, name: String) {
        self.type = type
        self.name = name
      }
    }
    package var engineVersion: String
    package var labels: [String: String]
    /// Sorted by type, then name.
    package var plugins: [Plugin]
    package init(engineVersion: String, labels: [String: String] = [:], plugins: [Plugin] = []) {
      self.engineVersion = engineVersion
      self.labels = labels
      self.plugins = plugins
    }
  }

  package var hostname: String
  package var platform: Platform
  package var resources: Capacity
  package var engine: Engine
  /// `nil` for a manager, whose certificate is always current.
  package var tls: NodeTLS?

  package init(hostname: String, platform: Platform, resources: Capacity, engine: Engine) {
    self.hostname = hostname
    self.platform = platform
    self.resources = resources
    self.engine = engine
  }
}

package struct NodeStatus: Codable, Sendable, Hashable {
  package enum State: String, Codable, Sendable { case unknown, down, ready, disconnected }

  package var state: State
  package var message: String?
  package var addr: String
  /// When it was found to be down, while it is.
  package var downSince: Timestamp?

  package init(state: State, message: String? = nil, addr: String) {
    self.state = state
    self.message = message
    self.addr = addr
  }
}

/// A host of the cluster.
package struct Node: Sendable, Hashable {
  package let id: String
  package var spec: NodeSpec
  package let createdAt: Timestamp
  package var updatedAt: Timestamp
  /// `Version.Index`: the store version of the last spec write.
  package var version: UInt64 = 0

  package var description: NodeDescription?
  package var status: NodeStatus
  /// `host:2377` on managers.
  package var managerAddr: String?
  /// Where the node wants its peers' traffic, chosen at `swarm init` or `join`; `nil` for where the managers see it.
  package var dataPathAddr: String?
  /// The part of the ingress pool that this node's tasks have their addresses from.
  package var ingressSubnet: IPv4Subnet?

  package init(id: String, spec: NodeSpec, status: NodeStatus, createdAt: Timestamp) {
    self.id = id
    self.spec = spec
    self.status = status
    self.createdAt = createdAt
    self.updatedAt = createdAt
  }

  package var isManager: Bool { managerAddr != nil }
  /// Its end of tunnels, which are IPv4's; a choice that they cannot take does not count. `nil` when there is none.
  package var tunnelAddress: IPv4Address? { dataPathAddr.flatMap { IPv4Address($0) } ?? IPv4Address(status.addr) }
  /// May be given new tasks.
  package var isSchedulable: Bool { status.state == .ready && spec.availability == "active" }
  /// Its tasks must run elsewhere.
  package var losesTasks: Bool { status.state == .down || spec.availability == "drain" }
}

/// The cluster object: settings, tokens, pools. Keys of the certificate authority are not part of it.
package struct Cluster: Sendable, Hashable {
  package struct JoinTokens: Codable, Sendable, Hashable {
    package var worker: String
    package var manager: String
    package init(worker: String, manager: String) {
      self.worker = worker
      self.manager = manager
    }
  }

  package let id: String
  package var spec: ClusterSpec
  package let createdAt: Timestamp
  package var updatedAt: Timestamp
  package var version: UInt64 = 0

  package var joinTokens: JoinTokens
  /// PEM of the cluster's root certificate.
  package var trustRoot: String
  package var rotation: RootRotation?
  package var defaultAddrPool: [String]
  package var subnetSize: Int
  package var dataPathPort: Int
  /// Pool of the nodes' ingress subnets.
  package var ingressPool: IPv4Subnet

  package init(
    id: String, spec: ClusterSpec, createdAt: Timestamp, joinTokens: JoinTokens, trustRoot: String, defaultAddrPool: [String],
    subnetSize: Int, dataPathPort: Int, ingressPool: IPv4Subnet
  ) {
    self.id = id
    self.spec = spec
    self.createdAt = createdAt
    self.updatedAt = createdAt
    self.joinTokens = joinTokens
    self.trustRoot = trustRoot
    self.defaultAddrPool = defaultAddrPool
    self.subnetSize = subnetSize
    self.dataPathPort = dataPathPort
    self.ingressPool = ingressPool
  }
}
