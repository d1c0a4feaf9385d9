// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineClient

extension FakeEngine {
  static let unreachable = EngineError(
    .unreachable, "Cannot connect to the Docker daemon at unix:///fake. Is the docker daemon running?")

  func newID() -> String {
    defer { nextNumber += 1 }
    let digits = String(nextNumber, radix: 16)
    return String(repeating: "0", count: 64 - digits.count) + digits
  }

  /// Around every call that only asks.
  func asked() async throws {
    if isAway { throw Self.unreachable }
    if isSilent { try await forever() }
  }

  /// Before every call that changes something.
  func called(_ call: String) async throws {
    try await asked()
    calls.append(call)
  }

  /// After it: the change is made, whether or not the caller hears of it.
  func answered() async throws {
    if let silentAfter, calls.count >= silentAfter { isSilent = true }
    if isSilent { try await forever() }
    guard let breaksAfter, calls.last == breaksAfter else { return }
    self.breaksAfter = nil
    throw EngineError(.connectionLost, "the engine closed the connection")
  }

  func forever() async throws { try await Task.sleep(for: .seconds(86_400)) }

  func find(_ reference: String) throws -> FakeContainer {
    if let container = containers[reference] ?? container(named: reference) { return container }
    throw EngineError(.notFound, status: 404, "No such container: \(reference)")
  }

  func emit(_ action: String, _ container: FakeContainer, _ more: [String: String] = [:]) {
    let attributes = container.labels.merging(["name": container.name, "image": container.image]) { $1 }.merging(more) { $1 }
    let json: JSONValue = [
      "Type": "container", "Action": .string(action),
      "Actor": ["ID": .string(container.id), "Attributes": JSONValue(attributes)],
    ]
    guard let event = try? GoJSONDecoder().decode(EngineEvent.self, from: json) else { return }
    for subscriber in subscribers.values { subscriber.yield(event) }
  }

  func end(_ container: inout FakeContainer, _ code: Int) {
    container.status = "exited"
    container.exitCode = code
    container.pid = 0
    emit("die", container, ["exitCode": String(code)])
  }

  func checkCreate(_ container: FakeContainer) throws {
    if let other = self.container(named: container.name) {
      let text = "Conflict. The container name \"/\(container.name)\" is already in use by container \"\(other.id)\"."
      throw EngineError(.conflict, status: 409, text)
    }
    guard images.contains(container.image) else {
      throw EngineError(.notFound, status: 404, "No such image: \(container.image)")
    }
    if let path = container.bindSources.first(where: missingPaths.contains) {
      let text = "invalid mount config for type \"bind\": bind source path does not exist: \(path)"
      throw EngineError(.badRequest, status: 400, text)
    }
  }

  func checkStart(_ container: FakeContainer) throws {
    let running = containers.values.filter(\.isRunning)
    let mode = container.networkMode
    if !["default", "bridge", "host", "none"].contains(mode), networks[mode] == nil {
      throw EngineError(.notFound, status: 404, "network \(mode) not found")
    }
    if let address = container.fixedAddress, running.contains(where: { $0.fixedAddress == address }) {
      throw EngineError(.serverError, status: 500, "Address already in use")
    }
    let taken = Set(running.flatMap { $0.hostPorts.map(\.host) })
    if let port = container.hostPorts.map(\.host).first(where: { !$0.isEmpty && taken.contains($0) }) {
      throw EngineError(.serverError, status: 500, "Bind for 0.0.0.0:\(port) failed: port is already allocated")
    }
    if let reason = startErrors[container.image] { throw EngineError(.serverError, status: 500, reason) }
  }
}
