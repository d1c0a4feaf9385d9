// SPDX-License-Identifier: Apache-2.0

/// The container of a task, in the Engine API's shape.
package struct ContainerSpec: Codable, Sendable, Hashable {
  package struct Healthcheck: Codable, Sendable, Hashable {
    package var test: [String]?
    package var interval: Int64?
    package var timeout: Int64?
    package var startPeriod: Int64?
    package var startInterval: Int64?
    package var retries: Int64?
  }
  package struct DNSConfig: Codable, Sendable, Hashable {
    package var nameservers: [String]?
    package var search: [String]?
    package var options: [String]?
  }
  package struct Ulimit: Codable, Sendable, Hashable {
    package var name: String
    package var hard: Int64
    package var soft: Int64
  }

  package var image: String?
  package var labels: [String: String]?
  package var command: [String]?
  package var args: [String]?
  package var hostname: String?
  package var env: [String]?
  package var dir: String?
  package var user: String?
  package var groups: [String]?
  package var privileges: Privileges?
  package var `init`: Bool?
  package var stopSignal: String?
  package var tty: Bool?
  package var openStdin: Bool?
  package var readOnly: Bool?
  package var mounts: [Mount]?
  /// Nanoseconds between the stop signal and the kill; the engine's 10 s when absent.
  package var stopGracePeriod: Int64?
  package var healthcheck: Healthcheck?
  package var hosts: [String]?
  package var dnsConfig: DNSConfig?
  package var secrets: [SecretReference]?
  package var configs: [ConfigReference]?
  package var isolation: String?
  package var sysctls: [String: String]?
  package var capabilityAdd: [String]?
  package var capabilityDrop: [String]?
  package var ulimits: [Ulimit]?
  package var oomScoreAdj: Int64?

  package init(image: String) { self.image = image }
}

package struct Mount: Codable, Sendable, Hashable {
  package struct BindOptions: Codable, Sendable, Hashable {
    package var propagation: String?
    package var nonRecursive: Bool?
    package var createMountpoint: Bool?
    package var readOnlyNonRecursive: Bool?
    package var readOnlyForceRecursive: Bool?
  }
  package struct VolumeOptions: Codable, Sendable, Hashable {
    package struct Driver: Codable, Sendable, Hashable {
      package var name: String?
      package var options: [String: String]?
    }
    package var noCopy: Bool?
    package var labels: [String: String]?
    package var driverConfig: Driver?
    package var subpath: String?
  }
  package struct TmpfsOptions: Codable, Sendable, Hashable {
    package var sizeBytes: Int64?
    package var mode: UInt32?
    package var options: [[String]]?
  }

  package var type: String?
  package var source: String?
  package var target: String?
  package var readOnly: Bool?
  package var consistency: String?
  package var bindOptions: BindOptions?
  package var volumeOptions: VolumeOptions?
  package var tmpfsOptions: TmpfsOptions?
  package var clusterOptions: JSONValue?
}
