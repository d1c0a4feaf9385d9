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

  var minor: Int { apiVersion.split(separator: ".").last.flatMap { Int($0) } ?? 0 }
  var engineVersion: String { minor < 42 ? "20.10.24" : "\(minor - 19).0.0" }

  /// The minor version that a call is answered in.
  func spoken(_ version: String?) -> Int {
    min(version?.split(separator: ".").last.flatMap { Int($0) } ?? minor, minor)
  }

  func checkCreate(_ container: FakeContainer) throws {
    try ContainerRules(name: container.name, config: container.config, minor: minor, cpus: Self.cpus).check()
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
    try checkAddress(of: container)
    if let address = container.fixedAddress, running.contains(where: { $0.fixedAddress == address }) {
      throw EngineError(.serverError, status: 500, "Address already in use")
    }
    let taken = Set(running.flatMap { $0.hostPorts.map(\.host) })
    if let port = container.hostPorts.map(\.host).first(where: { !$0.isEmpty && taken.contains($0) }) {
      throw EngineError(.serverError, status: 500, "Bind for 0.0.0.0:\(port) failed: port is already allocated")
    }
    if let reason = startErrors[container.image] { throw EngineError(.serverError, status: 500, reason) }
  }

  private func checkAddress(of container: FakeContainer) throws {
    guard let text = container.fixedAddress else { return }
    let subnets = networks[container.networkMode].map { Self.subnets($0).compactMap { IPv4Subnet($0) } } ?? []
    guard let address = IPv4Address(text), !subnets.isEmpty else {
      let reason = "user specified IP address is supported only when connecting to networks with user configured subnets"
      throw EngineError(.badRequest, status: 400, reason)
    }
    guard let subnet = subnets.first(where: { $0.contains(address) }) else {
      throw EngineError(.badRequest, status: 400, "no configured subnet contains IP address \(text)")
    }
    if address == subnet.gateway { throw EngineError(.unauthorized, status: 403, "Address already in use") }
  }
}
