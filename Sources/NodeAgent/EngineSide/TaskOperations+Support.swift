// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineClient

extension TaskOperations {
  func checkFields(_ spec: ContainerSpec?) async throws {
    guard let spec else { return }
    let version = try await retrying { try await engine.apiVersion() }
    if let refusal = NewerFields.refusal(of: spec, version: version) { throw TaskFailure(.refused, refusal) }
  }

  /// Every container with the cluster's label, running or not.
  func containers() async throws -> [ContainerSummary] {
    let all = try await engine.containers(all: true, labels: ["\(Labels.cluster)=\(clusterID)"])
    // Not left to the filter alone: what follows removes containers.
    return all.filter { $0.labels[Labels.cluster] == clusterID }
  }

  /// The cluster's containers by task; waits for an engine that is away.
  func containersByTask() async throws -> [String: ContainerState] {
    try await retrying {
      var found: [String: ContainerState] = [:]
      for summary in try await containers() {
        guard let task = summary.labels[Labels.swarmTaskID] else { continue }
        found[task] = try await inspect(summary.id)
      }
      return found
    }
  }

  /// Goes on for ever while the engine is away; every other error is thrown.
  func retrying<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
    var backoff = Backoff()
    while true {
      do { return try await body() } catch let error as EngineError where error.isTransient {
        try Task.checkCancellation()
        logger.debug("the engine does not answer", metadata: ["error": "\(error)"])
      }
      try await clock.sleep(backoff.next())
    }
  }

  func result<Value: Sendable>(_ body: () async throws -> Value) async -> Result<Value, TaskFailure> {
    do { return .success(try await body()) } catch {
      if error is CancellationError || Task.isCancelled { return .failure(.cancelled) }
      return .failure((error as? TaskFailure) ?? TaskFailure(.refused, EngineMessages.inSwarmsWords("\(error)")))
    }
  }
}
