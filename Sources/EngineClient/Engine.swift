// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

package struct LogOptions: Sendable, Hashable {
  package var stdout = true
  package var stderr = true
  package var follow = false
  package var timestamps = false
  package var details = false
  /// Unix seconds, with a fraction where wanted (`1700000000.5`).
  package var since: String?
  /// The last so many lines; nil for all.
  package var tail: Int?
  /// Whether the container has a terminal: its log is then raw bytes.
  package var isTerminal = false

  package init() {}
}

/// What an engine says of itself before anything else.
package struct EngineGreeting: Sendable, Hashable {
  /// The API version that requests use: the lower of the engine's and 1.50.
  package var apiVersion: String
  package var isExperimental: Bool
  /// The builder that clients are to prefer; empty when the engine says nothing of it.
  package var builderVersion: String

  package init(apiVersion: String, isExperimental: Bool = false, builderVersion: String = "") {
    self.apiVersion = apiVersion
    self.isExperimental = isExperimental
    self.builderVersion = builderVersion
  }
}

/// What the rest of Skep asks of the local Docker Engine. Every call throws `EngineError`, or `CancellationError` when cancelled.
package protocol Engine: Sendable {
  /// Asked of the engine once; again after it was away.
  func greeting() async throws -> EngineGreeting
  /// `version` as for `info`.
  func version(version: String?) async throws -> Inspected<EngineVersion>
  /// Answered by the rules of API `version`, or of the engine's where that is lower or `version` is nil.
  func info(version: String?) async throws -> Inspected<EngineInfo>

  /// `labels` are `key` or `key=value`; all must match. Stopped containers only with `all`.
  func containers(all: Bool, labels: [String]) async throws -> [ContainerSummary]
  func container(_ id: String) async throws -> Inspected<Container>
  /// `config` is the body of the API's `/containers/create`.
  func createContainer(name: String, config: JSONValue) async throws -> CreatedContainer
  /// Starting a container that runs, and stopping one that does not, is a success.
  func startContainer(_ id: String) async throws
  /// Sends the container's stop signal, and kills it after `timeout` seconds; nil for the container's own.
  func stopContainer(_ id: String, timeout: Int?) async throws
  func killContainer(_ id: String, signal: String) async throws
  func removeContainer(_ id: String, force: Bool, volumes: Bool) async throws
  /// Returns when the container does not run.
  func waitContainer(_ id: String) async throws -> ContainerExit
  /// To be iterated once. With back-pressure: a slow reader slows the engine's writer down.
  func logs(_ id: String, _ options: LogOptions) async throws -> any AsyncSequence<LogFrame, any Error> & Sendable
  /// To be iterated once; ends or fails with the engine. `since` and `until` are unix seconds with a fraction.
  func events(since: String?, until: String?, filters: [String: [String]]) async throws
    -> any AsyncSequence<EngineEvent, any Error> & Sendable
  /// The same in the engine's own words. `query` is a client's, percent-encoded as it came.
  func eventLines(query: String) async throws -> EngineEventLines

  func image(_ reference: String) async throws -> Inspected<EngineImage>
  /// Returns when the image is there. `registryAuth` is the value of `X-Registry-Auth`.
  func pullImage(_ reference: String, registryAuth: String?) async throws

  /// `filters` as in the API: `["label": ["a=b"], "driver": ["bridge"]]`. `version` as for `info`.
  func networks(filters: [String: [String]], version: String?) async throws -> [Inspected<EngineNetwork>]
  func network(_ id: String) async throws -> Inspected<EngineNetwork>
  /// `config` is the body of the API's `/networks/create`; the result is the network's id.
  func createNetwork(_ config: JSONValue) async throws -> String
  func removeNetwork(_ id: String) async throws
  /// `filters` are JSON as in the API; the answer is the engine's.
  func pruneNetworks(filters: String) async throws -> JSONValue
  /// `endpoint` is the API's `EndpointSettings`.
  func connectNetwork(_ id: String, container: String, endpoint: JSONValue) async throws
  func disconnectNetwork(_ id: String, container: String, force: Bool) async throws

  /// `config` is the body of the API's `/volumes/create`. An existing volume of the same kind is a success.
  func createVolume(_ config: JSONValue) async throws -> EngineVolume
}

extension Engine {
  package func apiVersion() async throws -> String { try await greeting().apiVersion }
  package func version() async throws -> Inspected<EngineVersion> { try await version(version: nil) }
  package func info() async throws -> Inspected<EngineInfo> { try await info(version: nil) }
  package func networks(filters: [String: [String]]) async throws -> [Inspected<EngineNetwork>] {
    try await networks(filters: filters, version: nil)
  }
}
