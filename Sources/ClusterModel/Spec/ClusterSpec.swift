// SPDX-License-Identifier: Apache-2.0

/// The swarm's own settings: `GET /swarm` and the body of `POST /swarm/update`.
package struct ClusterSpec: Codable, Sendable, Hashable {
  package struct Orchestration: Codable, Sendable, Hashable {
    /// Tasks kept per slot, the live one included; below 0 all of them.
    package var taskHistoryRetentionLimit: Int64?
  }
  package struct Raft: Codable, Sendable, Hashable {
    package var snapshotInterval: UInt64?
    package var keepOldSnapshots: UInt64?
    package var logEntriesForSlowFollowers: UInt64?
    package var electionTick: Int64
    package var heartbeatTick: Int64
  }
  package struct Dispatcher: Codable, Sendable, Hashable {
    package var heartbeatPeriod: Int64?
  }
  package struct CAConfig: Codable, Sendable, Hashable {
    package var nodeCertExpiry: Int64?
    package var externalCAs: [JSONValue]?
    package var forceRotate: UInt64?
  }
  package struct TaskDefaults: Codable, Sendable, Hashable {}
  package struct EncryptionConfig: Codable, Sendable, Hashable {
    package var autoLockManagers: Bool
  }

  package var name: String?
  package var labels: [String: String]
  package var orchestration: Orchestration
  package var raft: Raft
  package var dispatcher: Dispatcher
  package var caConfig: CAConfig
  package var taskDefaults: TaskDefaults
  package var encryptionConfig: EncryptionConfig

  /// Swarm's defaults.
  package static let defaults = ClusterSpec(
    name: "default", labels: [:], orchestration: Orchestration(taskHistoryRetentionLimit: 5),
    raft: Raft(
      snapshotInterval: 10_000, keepOldSnapshots: 0, logEntriesForSlowFollowers: 500, electionTick: 10, heartbeatTick: 1),
    dispatcher: Dispatcher(heartbeatPeriod: 5_000_000_000), caConfig: CAConfig(nodeCertExpiry: 7_776_000_000_000_000),
    taskDefaults: TaskDefaults(), encryptionConfig: EncryptionConfig(autoLockManagers: false))

  /// This spec with the zero values of an init request filled from the defaults, as swarm merges them.
  package func mergedOverDefaults() -> ClusterSpec {
    var spec = self
    let defaults = Self.defaults
    spec.name = defaults.name
    spec.orchestration.taskHistoryRetentionLimit =
      orchestration.taskHistoryRetentionLimit ?? defaults.orchestration.taskHistoryRetentionLimit
    if (raft.snapshotInterval ?? 0) == 0 { spec.raft.snapshotInterval = defaults.raft.snapshotInterval }
    spec.raft.keepOldSnapshots = raft.keepOldSnapshots ?? 0
    if (raft.logEntriesForSlowFollowers ?? 0) == 0 {
      spec.raft.logEntriesForSlowFollowers = defaults.raft.logEntriesForSlowFollowers
    }
    if raft.electionTick == 0 { spec.raft.electionTick = defaults.raft.electionTick }
    if raft.heartbeatTick == 0 { spec.raft.heartbeatTick = defaults.raft.heartbeatTick }
    if (dispatcher.heartbeatPeriod ?? 0) == 0 { spec.dispatcher.heartbeatPeriod = defaults.dispatcher.heartbeatPeriod }
    if (caConfig.nodeCertExpiry ?? 0) == 0 { spec.caConfig.nodeCertExpiry = defaults.caConfig.nodeCertExpiry }
    return spec
  }
}

extension ClusterSpec {
  /// Between two heartbeats of a node, where nobody chose otherwise.
  package static let ownHeartbeatPeriod = Duration.milliseconds(500)

  /// Swarm's default stands for ours: it is what a swarm that nobody set it for shows.
  package var heartbeatPeriod: Duration {
    let chosen = dispatcher.heartbeatPeriod ?? 0
    return chosen <= 0 || chosen == Self.defaults.dispatcher.heartbeatPeriod ? Self.ownHeartbeatPeriod : .nanoseconds(chosen)
  }

  /// How long the certificates of nodes are valid.
  package var nodeValidity: Duration {
    let chosen = caConfig.nodeCertExpiry ?? 0
    return .nanoseconds(chosen > 0 ? chosen : Self.defaults.caConfig.nodeCertExpiry ?? 0)
  }
}

package struct NodeSpec: Codable, Sendable, Hashable {
  package var name: String?
  package var labels: [String: String]
  /// The desired role: `worker` or `manager`.
  package var role: String
  /// `active`, `pause` or `drain`.
  package var availability: String

  package init(name: String? = nil, labels: [String: String] = [:], role: String, availability: String) {
    self.name = name
    self.labels = labels
    self.role = role
    self.availability = availability
  }
}
