// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

// What we read of the engine's objects, named as in its API. Absent fields have their zero value.

/// An object as we know it, and everything else the engine said about it.
@dynamicMemberLookup
package struct Inspected<Value: Sendable & Decodable>: Sendable {
  package var value: Value
  package var raw: JSONValue

  package init(_ value: Value, raw: JSONValue = .null) {
    self.value = value
    self.raw = raw
  }

  /// From the engine's JSON; a fake engine makes its objects this way too.
  package init(json: JSONValue) throws {
    self.init(try GoJSONDecoder().decode(Value.self, from: json), raw: json)
  }

  package subscript<Member>(dynamicMember path: KeyPath<Value, Member>) -> Member { value[keyPath: path] }
}

package struct EngineVersion: Sendable, Hashable, Codable {
  package var version: String
  package var apiVersion: String
  package var minAPIVersion: String
  package var os: String
  package var arch: String
  package var kernelVersion: String
}

package struct EngineInfo: Sendable, Hashable, Codable {
  package struct Plugins: Sendable, Hashable, Codable {
    package var volume: [String]
    package var network: [String]
    package var log: [String]
  }
  package struct Swarm: Sendable, Hashable, Codable {
    package var localNodeState: String
    package var nodeID: String
  }

  package var id: String
  package var name: String
  package var ncpu: Int
  package var memTotal: Int
  package var architecture: String
  package var osType: String
  package var operatingSystem: String
  package var kernelVersion: String
  package var serverVersion: String
  package var labels: [String]
  package var plugins: Plugins
  package var swarm: Swarm
  package var liveRestoreEnabled: Bool
  package var cgroupDriver: String
  package var cgroupVersion: String
  package var dockerRootDir: String
}

package struct ContainerSummary: Sendable, Hashable, Codable {
  package var id: String
  package var names: [String]
  package var image: String
  package var imageID: String
  /// Seconds since 1970.
  package var created: Int
  /// `created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`.
  package var state: String
  /// For people: `Up 5 minutes (healthy)`.
  package var status: String
  package var labels: [String: String]
  package var networkSettings: Networks

  /// Of a list, which tells little of them.
  package struct Networks: Sendable, Hashable, Codable {
    package struct Membership: Sendable, Hashable, Codable {
      package var networkID: String
      package var ipAddress: String
    }
    /// By network name.
    package var networks: [String: Membership]
  }
}

package struct Container: Sendable, Hashable, Codable {
  package struct State: Sendable, Hashable, Codable {
    package struct Health: Sendable, Hashable, Codable {
      /// `starting`, `healthy`, `unhealthy` or `none`.
      package var status: String
    }
    package var status: String
    package var running: Bool
    package var paused: Bool
    package var restarting: Bool
    package var oomKilled: Bool
    package var dead: Bool
    package var pid: Int
    package var exitCode: Int
    package var error: String
    package var startedAt: String
    package var finishedAt: String
    /// Nil without a health check.
    package var health: Health?
  }
  package struct Config: Sendable, Hashable, Codable {
    package var hostname: String
    package var image: String
    package var tty: Bool
    package var env: [String]
    package var labels: [String: String]
  }
  package struct NetworkSettings: Sendable, Hashable, Codable {
    /// Path of the network namespace; empty while not running.
    package var sandboxKey: String
    /// By `80/tcp`; nil where exposed and not published.
    package var ports: [String: [PortBinding]?]
    /// By network name.
    package var networks: [String: Endpoint]
  }
  package struct PortBinding: Sendable, Hashable, Codable {
    package var hostIp: String
    package var hostPort: String
  }
  package struct Endpoint: Sendable, Hashable, Codable {
    package var networkID: String
    package var endpointID: String
    package var gateway: String
    package var ipAddress: String
    package var ipPrefixLen: Int
    package var macAddress: String
    package var aliases: [String]
  }

  package var id: String
  /// With a leading slash.
  package var name: String
  /// The image's id.
  package var image: String
  package var created: String
  package var state: State
  package var config: Config
  package var networkSettings: NetworkSettings
}

package struct CreatedContainer: Sendable, Hashable, Codable {
  package var id: String
  package var warnings: [String]

  package init(id: String, warnings: [String] = []) {
    self.id = id
    self.warnings = warnings
  }
}

package struct ContainerExit: Sendable, Hashable, Codable {
  package struct Failure: Sendable, Hashable, Codable {
    package var message: String
  }
  package var statusCode: Int
  /// Why waiting failed; nil when the container ended.
  package var error: Failure?

  package init(statusCode: Int) { self.statusCode = statusCode }
}

package struct EngineImage: Sendable, Hashable, Codable {
  package var id: String
  package var repoTags: [String]
  package var repoDigests: [String]
  package var architecture: String
  package var os: String
  package var size: Int
}

package struct EngineNetwork: Sendable, Hashable, Codable {
  package struct IPAM: Sendable, Hashable, Codable {
    package struct Pool: Sendable, Hashable, Codable {
      package var subnet: String
      package var ipRange: String
      package var gateway: String
    }
    package var driver: String
    package var config: [Pool]
  }
  package struct Member: Sendable, Hashable, Codable {
    package var name: String
    package var endpointID: String
    package var macAddress: String
    package var ipv4Address: String
  }

  package var id: String
  package var name: String
  package var scope: String
  package var driver: String
  package var `internal`: Bool
  package var attachable: Bool
  package var ipam: IPAM
  package var options: [String: String]
  package var labels: [String: String]
  /// By container id. Empty in lists.
  package var containers: [String: Member]
}

package struct EngineVolume: Sendable, Hashable, Codable {
  package var name: String
  package var driver: String
  package var mountpoint: String
  package var labels: [String: String]
}

package struct EngineEvent: Sendable, Hashable, Codable {
  package struct Actor: Sendable, Hashable, Codable {
    package var id: String
    package var attributes: [String: String]

    package init(id: String, attributes: [String: String] = [:]) {
      self.id = id
      self.attributes = attributes
    }
  }
  /// `container`, `image`, `network`, `volume`, `daemon`…
  package var type: String
  /// `start`, `die`, `health_status: healthy`…
  package var action: String
  package var actor: Actor
  package var scope: String
  package var timeNano: Int

  package init(type: String, action: String, actor: Actor, scope: String = "local", timeNano: Int) {
    self.type = type
    self.action = action
    self.actor = actor
    self.scope = scope
    self.timeNano = timeNano
  }
}
