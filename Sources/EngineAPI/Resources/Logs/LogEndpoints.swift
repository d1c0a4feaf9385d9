// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC

extension SwarmAPI {
  func serviceLogs(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let options = try ClusterRPC.LogOptions(call.query)
    let service = try await swarm.store.read { try $0.lookUpService(call.id) }
    let id = service.id
    let framing = LogFraming(options, service.spec.taskTemplate)
    return logs(
      call,
      LogCollector(
        control: control, store: swarm.store, options: options, framing: framing, select: { $0.tasks(ofService: id) },
        mayGrow: { $0.services[id] != nil }, now: now))
  }

  func taskLogs(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let options = try ClusterRPC.LogOptions(call.query)
    let task = try await swarm.store.read { try $0.lookUpTask(call.id) }
    let id = task.id
    let framing = LogFraming(options, task.template.spec)
    return logs(
      call,
      LogCollector(
        control: control, store: swarm.store, options: options, framing: framing,
        select: { store in store.tasks[id].map { [$0] } ?? [] }, mayGrow: { $0.tasks[id]?.state.isTerminal == false }, now: now))
  }

  private func logs(_ call: Call, _ collector: LogCollector) -> Response {
    let isMultiplexed = call.version >= APIVersion(1, 42) && !collector.framing.isTerminal
    let type = isMultiplexed ? "application/vnd.docker.multiplexed-stream" : "application/vnd.docker.raw-stream"
    return Response(
      headers: ["Content-Type": type], body: .stream(ProducedStream { await collector.run(into: $0) }),
      isEndless: collector.options.follow)
  }
}

extension LogFraming {
  fileprivate init(_ options: ClusterRPC.LogOptions, _ spec: TaskSpec) {
    self.init(
      isTerminal: spec.containerSpec?.tty == true, hasTimestamps: options.timestamps, hasDetails: options.details)
  }
}

extension ClusterRPC.LogOptions {
  init(_ query: Query) throws(APIError) {
    self.init(
      stdout: query.flag("stdout"), stderr: query.flag("stderr"), follow: query.flag("follow"), since: query["since"] ?? "",
      tail: query["tail"] ?? "", timestamps: query.flag("timestamps"), details: query.flag("details"))
    guard stdout || stderr else { throw .badRequest("must specify at least one of 'stdout' or 'stderr'") }
    try checkSince()
    try checkTail()
  }

  private func checkSince() throws(APIError) {
    let parts = since.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    for part in parts where !since.isEmpty {
      do { _ = try GoParse.int64(String(part)) } catch { throw .badRequest("invalid value for \"since\": \(error)") }
    }
  }

  private mutating func checkTail() throws(APIError) {
    if tail.isEmpty { tail = "all" }
    guard tail != "all" else { return }
    guard let lines = Int(tail) else { throw APIError(status: 500, "tail value must be a positive integer or \"all\"") }
    guard lines >= 0 else { throw APIError(status: 500, "negative tail values not supported") }
  }
}
