// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineClient
import EngineTestKit
import Glibc
import Testing

@testable import NodeAgent

@Suite("Readiness")
struct ReadinessTests {
  @Test("a task with a health check runs when it is healthy")
  func healthy() async throws {
    let harness = Harness()
    await harness.assign(Fixtures.task(template: checked))
    try await harness.withAgent { _ in
      try await harness.until("starting") {
        let isRunning = await harness.engine.container(named: "web.1.task1")?.isRunning
        return await harness.brief() == "starting 'starting'" && isRunning == true
      }
      await harness.engine.setHealth("web.1.task1", "healthy")
      try await harness.until("running") { await harness.brief() == "running 'started' ready" }
      await harness.engine.setHealth("web.1.task1", "unhealthy")
      try await harness.until("failed") { await harness.state() == .failed }
      #expect(await harness.status()?.err == "task: non-zero exit (143): dockerexec: unhealthy container")
    }
  }

  private var checked: TaskTemplate {
    Fixtures.template { spec in
      let check: JSONValue = ["Test": ["CMD", "true"]]
      spec.containerSpec?.healthcheck = try? GoJSONDecoder().decode(ContainerSpec.Healthcheck.self, from: check)
    }
  }

  @Test("a task without one is ready when its port accepts")
  func accepting() async throws {
    let harness = Harness()
    let listener = try Listening()
    let template = Fixtures.template(ports: [PortConfig(targetPort: UInt32(listener.port), publishedPort: 8080)])
    await harness.assignOnLoopback(Fixtures.task(address: "127.0.0.2", template: template))
    try await harness.withAgent { _ in
      try await harness.until("running") { await harness.brief() == "running 'started'" }
      try listener.listen()
      try await harness.until("ready") { await harness.brief() == "running 'started' ready" }
    }
  }

  @Test("of several ports all are waited for, but not for long once one accepts")
  func several() async throws {
    let clock = ManualClock()
    var harness = Harness()
    harness.clock = AgentClock(now: { clock.now() }, sleep: { try await clock.sleep($0) })
    let (unused, used) = (try Listening(), try Listening())
    try used.listen()
    let ports = [unused, used].map { PortConfig(targetPort: UInt32($0.port), publishedPort: nil) }
    await harness.assignOnLoopback(Fixtures.task(address: "127.0.0.2", template: Fixtures.template(ports: ports)))
    try await harness.withAgent { _ in
      try await harness.until("running") { await harness.brief() == "running 'started'" }
      let began = clock.now().uptime
      try await harness.until("ready") {
        clock.advance(by: .milliseconds(100))
        return await harness.brief() == "running 'started' ready"
      }
      #expect(clock.now().uptime - began >= .seconds(5))
    }
  }

  @Test("several ports that never accept are named")
  func names() {
    let ports =
      [81, 80].map { PortConfig(targetPort: $0, publishedPort: nil) } + [
        PortConfig(targetPort: 53, publishedPort: nil, protocol: "udp")
      ]
    let template = Fixtures.template(labels: [Labels.readyTimeout: "2s"], ports: ports)
    let now = Now(wall: .zero, uptime: .zero)
    var controller = TaskController(task: Fixtures.task(address: "127.0.0.1", template: template))
    let actions = controller.begin(found: ContainerState(id: "c1", phase: .running), at: now)
    #expect(actions.contains(.probe(IPv4Address("127.0.0.1")!, ports: [80, 81], patience: .seconds(1))))
    _ = controller.handle(.tick, at: Now(wall: .zero, uptime: .seconds(2)))
    let ended = controller.handle(.stopped(.success(nil)), at: now)
    #expect("\(ended)".contains("task: not ready within 2s: nothing accepted connections on ports 80, 81"))
  }

  @Test("a task of a job that never accepts is left to work, and reported complete at its end")
  func job() {
    let template = Fixtures.template(ports: [Fixtures.webPort])
    let task = Fixtures.task(desired: .complete, address: "127.0.0.1", template: template, jobIteration: 0)
    let now = Now(wall: .zero, uptime: .zero)
    var controller = TaskController(task: task)
    let begun = controller.begin(found: ContainerState(id: "c1", phase: .running), at: now)
    #expect(begun.contains(.probe(IPv4Address("127.0.0.1")!, ports: [80], patience: .seconds(5))))
    #expect(controller.handle(.tick, at: Now(wall: .zero, uptime: .seconds(86_400))) == [])
    _ = controller.handle(.accepting, at: now)
    #expect(controller.status.brief == "running 'started' ready")
    _ = controller.handle(.died(container: "c1", exitCode: 0), at: now)
    #expect(controller.status.brief == "complete 'finished'")
  }

  @Test("one that never accepts is stopped, with the reason")
  func never() async throws {
    let clock = ManualClock()
    var harness = Harness()
    harness.clock = AgentClock(now: { clock.now() }, sleep: { try await clock.sleep($0) })
    let listener = try Listening()
    let ports = [PortConfig(targetPort: UInt32(listener.port), publishedPort: 8080)]
    let template = Fixtures.template(labels: [Labels.readyTimeout: "1m30s"], ports: ports)
    await harness.assignOnLoopback(Fixtures.task(address: "127.0.0.2", template: template))
    try await harness.withAgent { _ in
      try await harness.until("running") { await harness.brief() == "running 'started'" }
      for _ in 0..<89 { clock.advance(by: .seconds(1)) }
      #expect(await harness.state() == .running)
      clock.advance(by: .seconds(1))
      try await harness.until("failed") { await harness.state() == .failed }
    }
    #expect(
      await harness.status()?.err == "task: not ready within 1m30s: nothing accepted connections on port \(listener.port)")
  }
}

extension Harness {
  /// The first address of the range is the bridge's own.
  fileprivate func assignOnLoopback(_ task: ClusterTask) async {
    await dispatcher.assign {
      $0.subnet = IPv4Subnet("127.0.0.0/24")
      $0.tasks[task.id] = task
    }
  }
}

/// A loopback port that is bound, and refuses until it listens.
final class Listening: Sendable {
  let descriptor: Int32
  let port: UInt16

  struct Failure: Error {}

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7f00_0002).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = descriptor
    let result = withUnsafeMutablePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(descriptor, address, size) | getsockname(descriptor, address, &size)
      }
    }
    port = UInt16(bigEndian: name.sin_port)
    guard descriptor >= 0, result == 0 else { throw Failure() }
  }

  func listen() throws { guard Glibc.listen(descriptor, 16) == 0 else { throw Failure() } }

  deinit { close(descriptor) }
}
