// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import EngineClient

extension FakeEngine {
  package func containers(all: Bool, labels: [String]) async throws -> [ContainerSummary] {
    try await asked()
    let wanted = labels.map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
    let found = containers.values.filter { container in
      (all || container.isRunning)
        && wanted.allSatisfy { $0.count == 2 ? container.labels[$0[0]] == $0[1] : container.labels[$0[0]] != nil }
    }
    return try found.sorted { $0.id > $1.id }.map { try GoJSONDecoder().decode(ContainerSummary.self, from: $0.summary) }
  }

  package func container(_ id: String) async throws -> Inspected<Container> {
    try await asked()
    let json = try find(id).details
    return Inspected(try GoJSONDecoder().decode(Container.self, from: json), raw: json)
  }

  package func createContainer(name: String, config: JSONValue) async throws -> CreatedContainer {
    try await called("create \(name)")
    let container = FakeContainer(id: newID(), name: name, config: config)
    try checkCreate(container)
    containers[container.id] = container
    try await answered()
    return try GoJSONDecoder().decode(CreatedContainer.self, from: ["Id": .string(container.id)])
  }

  package func startContainer(_ id: String) async throws {
    var container = try find(id)
    try await called("start \(container.name)")
    startsNow += 1
    mostStartsAtOnce = max(mostStartsAtOnce, startsNow)
    // Lets other starts come in between, if there are any.
    for _ in 0..<10 { await Task.yield() }
    startsNow -= 1
    container = try find(id)
    if container.isRunning { return try await answered() }
    do { try checkStart(container) } catch {
      container.exitCode = 128
      container.error = "\(error)"
      containers[id] = container
      try await answered()
      throw error
    }
    run(&container)
    containers[id] = container
    try await answered()
  }

  private func run(_ container: inout FakeContainer) {
    container.status = "running"
    container.starts += 1
    container.pid = 1_000 + container.starts
    container.exitCode = 0
    container.health = container.config["Healthcheck"]?["Test"]?.arrayValue.map { _ in "starting" }
    emit("start", container)
    if let code = instantExits[container.image] { end(&container, code) }
  }

  package func stopContainer(_ id: String, timeout: Int?) async throws {
    var container = try find(id)
    try await called("stop \(container.name)")
    if stopsHang { try await forever() }
    if container.isRunning {
      container.stopTimeout = timeout
      end(&container, stopExitCode)
      containers[id] = container
    }
    try await answered()
  }

  package func killContainer(_ id: String, signal: String) async throws {
    var container = try find(id)
    try await called("kill \(container.name)")
    guard Self.signals.contains(signal.replacing("SIG", with: "")) else {
      throw EngineError(.badRequest, status: 400, "Invalid signal: \(signal)")
    }
    guard container.isRunning else { throw EngineError(.conflict, status: 409, "Container \(id) is not running") }
    end(&container, 137)
    containers[id] = container
    try await answered()
  }

  private static let signals: Set = ["KILL", "TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "STOP", "CONT", "9", "15"]

  package func removeContainer(_ id: String, force: Bool, volumes: Bool) async throws {
    var container = try find(id)
    try await called("remove \(container.name)")
    if container.isRunning {
      guard force else {
        let text = "You cannot remove a running container \(id). Stop the container before attempting removal or force remove"
        throw EngineError(.conflict, status: 409, text)
      }
      end(&container, 137)
    }
    containers[container.id] = nil
    emit("destroy", container)
    try await answered()
  }

  package func waitContainer(_ id: String) async throws -> ContainerExit {
    while try find(id).isRunning {
      try await asked()
      try await Task.sleep(for: .milliseconds(5))
    }
    return try GoJSONDecoder().decode(ContainerExit.self, from: ["StatusCode": JSONValue(try find(id).exitCode)])
  }

  package func logs(_ id: String, _ options: LogOptions) async throws -> any AsyncSequence<LogFrame, any Error> & Sendable {
    try await asked()
    guard options.stdout || options.stderr else {
      throw EngineError(.badRequest, status: 400, "Bad parameters: you must choose at least one stream")
    }
    let frames = logFrames[try find(id).name] ?? []
    return AsyncThrowingStream<LogFrame, any Error> { continuation in
      for frame in frames { continuation.yield(frame) }
      continuation.finish()
    }
  }

  package func events(since: String?, until: String?, filters: [String: [String]]) async throws
    -> any AsyncSequence<EngineEvent, any Error> & Sendable
  {
    try await asked()
    let number = nextNumber
    nextNumber += 1
    return AsyncThrowingStream<EngineEvent, any Error> { subscribers[number] = $0 }
  }
}
