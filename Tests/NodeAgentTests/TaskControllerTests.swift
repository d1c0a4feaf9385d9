// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Testing

@testable import NodeAgent

@Suite("A task's controller")
struct TaskControllerTests {
  typealias Event = TaskController.Event

  struct Sequence: Sendable, CustomTestStringConvertible {
    var name: String
    var task = Fixtures.task()
    var found: ContainerState?
    var events: [(after: Int, Event)] = []
    var actions: [[String]]
    var testDescription: String { name }
  }

  static let address = "10.0.1.9"
  static let published = Fixtures.template(ports: [Fixtures.webPort])
  static let created = ContainerState(id: "c1")
  static let running = ContainerState(id: "c1", phase: .running, pid: 7)
  static func running(_ health: ContainerState.Health) -> ContainerState {
    ContainerState(id: "c1", phase: .running, health: health, pid: 7)
  }
  static func exited(_ code: Int, error: String = "") -> ContainerState {
    ContainerState(id: "c1", phase: .exited, exitCode: code, error: error)
  }
  static func wanted(_ state: TaskState) -> Event { .assigned(Fixtures.task(desired: state)) }
  static let toPrepare = ["report accepted 'accepted'", "report preparing 'preparing'", "prepare"]
  static let toStart = ["report ready 'prepared'", "report starting 'starting'", "start c1"]
  static let runs = (0, Event.prepared(.success(created)))
  static let starts = (0, Event.started(.success(running)))

  static let life: [Sequence] = [
    Sequence(
      name: "runs, ends well", events: [runs, starts, (1, .died(container: "c1", exitCode: 0))],
      actions: [toPrepare, toStart, ["report running 'started' ready"], ["withdraw", "report complete 'finished'"]]),
    Sequence(
      name: "runs, is killed", events: [runs, starts, (1, .died(container: "c1", exitCode: 137))],
      actions: [
        toPrepare, toStart, ["report running 'started' ready"],
        ["withdraw", "report failed 'started' err 'task: non-zero exit (137)'"],
      ]),
    Sequence(
      name: "another container's death is not its own", events: [runs, starts, (1, .died(container: "c2", exitCode: 137))],
      actions: [toPrepare, toStart, ["report running 'started' ready"], []]),
    Sequence(
      name: "is held before its start, then released", task: Fixtures.task(desired: .ready),
      events: [runs, (1, wanted(.running))],
      actions: [toPrepare, ["report ready 'prepared'"], ["report starting 'starting'", "start c1"]]),
    Sequence(
      name: "is stopped", events: [runs, starts, (1, wanted(.shutdown)), (1, .stopped(.success(exited(143))))],
      actions: [toPrepare, toStart, ["report running 'started' ready"], ["stop c1"], ["report shutdown 'shutdown'"]]),
    Sequence(
      name: "the death it was told to die is not a failure",
      events: [
        runs, starts, (1, wanted(.shutdown)), (0, .died(container: "c1", exitCode: 143)), (1, .stopped(.success(exited(143)))),
      ],
      actions: [
        toPrepare, toStart, ["report running 'started' ready"], ["stop c1"], ["withdraw"], ["report shutdown 'shutdown'"],
      ]),
    Sequence(
      name: "a stop that fails is tried again",
      events: [
        runs, starts, (1, wanted(.shutdown)), (0, .stopped(.failure(TaskFailure(.refused, "no")))), (0, .tick), (2, .tick),
      ],
      actions: [toPrepare, toStart, ["report running 'started' ready"], ["stop c1"], ["wake"], [], ["stop c1"]]),
    Sequence(
      name: "is shut down while its image is pulled", events: [(1, wanted(.shutdown)), (1, .prepared(.failure(.cancelled)))],
      actions: [toPrepare, ["cancel"], ["report shutdown 'shutdown'"]]),
    Sequence(
      name: "leaves the assignment while it runs", events: [runs, starts, (1, .unassigned), (1, .removed(.success(())))],
      actions: [toPrepare, toStart, ["report running 'started' ready"], ["remove c1"], ["withdraw", "forget"]]),
    Sequence(
      name: "leaves the assignment while it is being stopped",
      events: [
        runs, starts, (1, wanted(.shutdown)), (1, .unassigned), (1, .stopped(.failure(.cancelled))), (1, .removed(.success(()))),
      ],
      actions: [
        toPrepare, toStart, ["report running 'started' ready"], ["stop c1"], ["cancel"], ["remove c1"], ["withdraw", "forget"],
      ]),
    Sequence(
      name: "an ended task keeps its container until it leaves",
      events: [runs, starts, (1, .died(container: "c1", exitCode: 0)), (1, wanted(.shutdown)), (1, .unassigned)],
      actions: [
        toPrepare, toStart, ["report running 'started' ready"], ["withdraw", "report complete 'finished'"], [], ["remove c1"],
      ]),
  ]

  static let failures: [Sequence] = [
    Sequence(
      name: "no image", events: [(0, .prepared(.failure(TaskFailure(.refused, "No such image: web:1"))))],
      actions: [toPrepare, ["report rejected 'preparing' err 'No such image: web:1'"]]),
    Sequence(
      name: "the spec cannot be carried out", events: [(0, .prepared(.failure(TaskFailure(.unresolvable, "no path"))))],
      actions: [toPrepare, ["report rejected 'resolving controller failed' err 'no path'"]]),
    Sequence(
      name: "the start is refused", events: [runs, (0, .started(.failure(TaskFailure(.refused, "port is taken"))))],
      actions: [toPrepare, toStart, ["report failed 'starting' err 'starting container failed: port is taken'"]]),
    Sequence(
      name: "ends before its start has been answered",
      events: [runs, (0, .died(container: "c1", exitCode: 3)), starts],
      actions: [toPrepare, toStart, [], ["report failed 'started' err 'task: non-zero exit (3)'"]]),
    Sequence(
      name: "the engine's own reason is kept", events: [runs, starts, (1, .observed(exited(127, error: "no such file")))],
      actions: [
        toPrepare, toStart, ["report running 'started' ready"],
        ["withdraw", "report failed 'started' err 'task: non-zero exit (127): no such file'"],
      ]),
    Sequence(
      name: "somebody removed the container", events: [runs, starts, (1, .observed(nil))],
      actions: [
        toPrepare, toStart, ["report running 'started' ready"],
        ["withdraw", "report failed 'started' err 'No such container: web.1.task1'"],
      ]),
  ]

  static let health: [Sequence] = [
    Sequence(
      name: "runs once it is healthy",
      events: [runs, (0, .started(.success(running(.starting)))), (5, .health(container: "c1", .healthy))],
      actions: [toPrepare, toStart, ["report starting 'starting'"], ["report running 'started' ready"]]),
    Sequence(
      name: "is healthy before its start has been answered",
      events: [runs, (0, .health(container: "c1", .healthy)), (0, .started(.success(running(.starting))))],
      actions: [toPrepare, toStart, [], ["report running 'started' ready"]]),
    Sequence(
      name: "never healthy",
      events: [
        runs, (0, .started(.success(running(.starting)))), (5, .health(container: "c1", .unhealthy)),
        (1, .stopped(.success(exited(137)))),
      ],
      actions: [
        toPrepare, toStart, ["report starting 'starting'"], ["stop c1"],
        ["report failed 'starting' err 'task: non-zero exit (137): dockerexec: unhealthy container'"],
      ]),
    Sequence(
      name: "not healthy any more",
      events: [
        runs, (0, .started(.success(running(.healthy)))), (5, .health(container: "c1", .unhealthy)),
        (1, .stopped(.success(exited(137)))),
      ],
      actions: [
        toPrepare, toStart, ["report running 'started' ready"], ["withdraw", "report running 'started'", "stop c1"],
        ["withdraw", "report failed 'started' err 'task: non-zero exit (137): dockerexec: unhealthy container'"],
      ]),
    Sequence(
      name: "ready when its port accepts", task: Fixtures.task(address: address, template: published),
      events: [runs, starts, (1, .accepting), (100, .tick)],
      actions: [
        toPrepare, toStart, ["report running 'started'", "probe 10.0.1.9:80", "wake"],
        ["stopProbe", "report running 'started' ready"], [],
      ]),
    Sequence(
      name: "never ready", task: Fixtures.task(address: address, template: published),
      events: [runs, starts, (59, .tick), (1, .tick), (1, .stopped(.success(exited(137))))],
      actions: [
        toPrepare, toStart, ["report running 'started'", "probe 10.0.1.9:80", "wake"], [],
        ["withdraw", "stopProbe", "stop c1"],
        [
          "withdraw",
          "report failed 'started' err 'task: not ready within 1m0s: nothing accepted connections on port 80'",
        ],
      ]),
  ]

  static let adoption: [Sequence] = [
    Sequence(
      name: "created", task: Fixtures.task(state: .preparing), found: created,
      actions: [["report ready 'prepared'", "report starting 'starting'", "start c1"]]),
    Sequence(name: "nothing yet", task: Fixtures.task(state: .preparing), actions: [["prepare"]]),
    Sequence(
      name: "running", task: Fixtures.task(state: .ready, message: "prepared"), found: running,
      actions: [["report running 'started' ready"]]),
    Sequence(
      name: "ended", task: Fixtures.task(state: .running, message: "started"), found: exited(1),
      actions: [["withdraw", "report failed 'started' err 'task: non-zero exit (1)'"]]),
    Sequence(
      name: "ended and was told to", task: Fixtures.task(desired: .shutdown, state: .running), found: exited(143),
      actions: [["report shutdown 'shutdown'"]]),
    Sequence(
      name: "gone", task: Fixtures.task(state: .running, message: "started"),
      actions: [["withdraw", "report failed 'started' err 'No such container: web.1.task1'"]]),
    Sequence(
      name: "could not start", task: Fixtures.task(state: .starting, message: "starting"),
      found: ContainerState(id: "c1", exitCode: 128, error: "port is taken"),
      actions: [["report failed 'starting' err 'starting container failed: port is taken'"]]),
    Sequence(
      name: "orphaned by the managers and still running", task: Fixtures.task(desired: .shutdown, state: .orphaned),
      found: running, actions: [["stop c1"]]),
  ]

  @Test("follows swarm's states and messages", arguments: life + failures + health + adoption)
  func sequence(_ sequence: Sequence) {
    var now = Now(wall: Timestamp(nanoseconds: 1), uptime: .seconds(1))
    var controller = TaskController(task: sequence.task)
    var actions = [controller.begin(found: sequence.found, at: now).map(Self.text)]
    for (delay, event) in sequence.events {
      now.uptime += .seconds(delay)
      now.wall = now.wall + .seconds(delay)
      actions.append(controller.handle(event, at: now).map(Self.text))
    }
    #expect(actions == sequence.actions)
  }

  @Test("a task that was ready stays so for the next agent, without a probe")
  func staysReady() {
    var task = Fixtures.task(state: .running, message: "started", address: Self.address, template: Self.published)
    task.status.isReady = true
    task.status.containerID = "c1"
    task.status.pid = 7
    var controller = TaskController(task: task)
    #expect(controller.begin(found: Self.running, at: Now(wall: .zero, uptime: .zero)) == [])
    #expect(controller.status.isReady)
  }

  @Test("statuses only rise, whatever the events are", arguments: 0..<200)
  func rises(seed: UInt64) {
    var random = SplitMix(state: seed)
    var now = Now(wall: Timestamp(nanoseconds: 1), uptime: .seconds(1))
    var controller = TaskController(task: Fixtures.task(address: Self.address, template: Self.published))
    var last = controller.status
    var starts = 0
    var actions = controller.begin(found: nil, at: now)
    for _ in 0..<60 {
      for case .report(let status) in actions {
        #expect(last.yields(to: status))
        last = status
      }
      starts += actions.count { if case .start = $0 { true } else { false } }
      now.uptime += .seconds(Int.random(in: 0...20, using: &random))
      now.wall = now.wall + .seconds(1)
      actions = controller.handle(Self.event(for: controller, &random), at: now)
    }
    #expect(starts <= 1)
  }

  /// An answer to what is under way, or anything else that can happen.
  static func event(for controller: TaskController, _ random: inout SplitMix) -> Event {
    let states: [ContainerState?] = [nil, running, exited(0), exited(9), running(.unhealthy), running(.healthy)]
    let fails = Int.random(in: 0..<5, using: &random) == 0
    let failure = TaskFailure(.refused, "no")
    if Bool.random(using: &random) {
      switch controller.operation {
      case .prepare: return .prepared(fails ? .failure(failure) : .success(created))
      case .start: return .started(fails ? .failure(failure) : .success(running))
      case .stop: return .stopped(fails ? .failure(failure) : .success(exited(143)))
      case .remove: return .removed(fails ? .failure(failure) : .success(()))
      case nil: break
      }
    }
    let begun = controller.container?.phase ?? .created
    let others: [Event] = [
      wanted(.running), wanted(.shutdown), .unassigned, .died(container: "c1", exitCode: 1), .accepting, .tick,
      .health(container: "c1", .unhealthy),
      .observed(begun == .created ? controller.container : states.randomElement(using: &random) ?? nil),
    ]
    return others.randomElement(using: &random) ?? .tick
  }

  static func text(_ action: TaskController.Action) -> String {
    switch action {
    case .report(let status): "report \(status.brief)"
    case .prepare: "prepare"
    case .start(let id): "start \(id)"
    case .stop(let id): "stop \(id)"
    case .remove(let id): "remove \(id)"
    case .cancel: "cancel"
    case .probe(let address, let ports, let patience):
      "probe \(address):\(ports.map(String.init).joined(separator: ","))" + (patience == .seconds(5) ? "" : " \(patience)")
    case .stopProbe: "stopProbe"
    case .withdraw: "withdraw"
    case .wake: "wake"
    case .forget: "forget"
    }
  }
}

struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
