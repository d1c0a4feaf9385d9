// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import Testing

@testable import EngineAPI

@Suite("Events of the swarm, as values")
struct EventValueTests {
  static let now = SwarmRig.time + .seconds(60)
  static let edited = SwarmRig.time + .seconds(30)

  static func service(_ change: (inout Service) -> Void = { _ in }) -> Service {
    var spec = ServiceSpec(name: "web", taskTemplate: TaskSpec(containerSpec: ContainerSpec(image: "a:1")))
    spec.mode = .replicated(1)
    var service = Service(id: "s1", spec: spec, createdAt: SwarmRig.time)
    change(&service)
    return service
  }

  static func node(_ change: (inout Node) -> Void = { _ in }) -> Node {
    var node = Fixture.manager
    change(&node)
    return node
  }

  static func status(_ state: Service.UpdateStatus.State) -> Service.UpdateStatus {
    .init(state: state, startedAt: SwarmRig.time, message: "")
  }

  /// The events of `changes` made to a state that holds these objects.
  static func events(_ changes: [Change], over held: [Change]) throws -> [ClusterEvent] {
    var store = ClusterStore()
    var transaction = Transaction(over: store)
    for change in held {
      switch change {
      case .cluster(let cluster): transaction.put(cluster)
      case .node(let node): transaction.put(node)
      case .service(let service): transaction.put(service)
      default: break
      }
    }
    store.apply(try transaction.atomicProposal(), version: 1)
    return ClusterEvent.events(of: changes, before: store, now: now)
  }

  @Test("an object that comes and goes has an event of each, with its time")
  func comeAndGo() throws {
    let held: [Change] = [.cluster(Fixture.cluster), .node(Self.node()), .service(Self.service())]
    #expect(
      try Self.events(held, over: []) == [
        ClusterEvent(.network, .create, id: "ingressclusteraaaaaaaaaaa", attributes: ["name": "ingress"], time: SwarmRig.time),
        ClusterEvent(.node, .create, id: "n1", attributes: ["name": "Alpha"], time: SwarmRig.time),
        ClusterEvent(.service, .create, id: "s1", attributes: ["name": "web"], time: SwarmRig.time),
      ])
    #expect(
      try Self.events([.removeNode("n1"), .removeService("s1")], over: held) == [
        ClusterEvent(.node, .remove, id: "n1", attributes: ["name": "Alpha"], time: Self.now),
        ClusterEvent(.service, .remove, id: "s1", attributes: ["name": "web"], time: Self.now),
      ])
  }

  @Test("what is no object of its own, or was not there, has none")
  func nothing() throws {
    let held: [Change] = [.cluster(Fixture.cluster)]
    let task = Fixture.task("t1", of: Self.service())
    let changes: [Change] = [.cluster(Fixture.cluster), .task(task), .removeTask("t1"), .removeService("s1"), .removeNode("n1")]
    #expect(try Self.events(changes, over: held).isEmpty)
  }

  @Test("what the API never shows is no update")
  func unseen() throws {
    let allocated = Self.service { $0.endpoint = .init(spec: EndpointSpec(), ports: []) }
    let placed = Self.node { $0.ingressSubnet = IPv4Subnet("10.0.2.0/24") }
    let held: [Change] = [.node(Self.node()), .service(Self.service())]
    #expect(try Self.events([.service(allocated), .node(placed)], over: held).isEmpty)
    let published = Self.service {
      $0.endpoint = .init(spec: EndpointSpec(), ports: [PortConfig(targetPort: 80, publishedPort: 8080)])
    }
    #expect(try Self.events([.service(published)], over: held).map(\.action) == [.update])
  }

  typealias Attributes = [String: String]

  static let serviceUpdates: [(@Sendable (inout Service) -> Void, Attributes)] = [
    ({ $0.spec.labels = ["a": "b"] }, [:]),
    ({ $0.spec.taskTemplate.containerSpec?.image = "a:2" }, ["image.old": "a:1", "image.new": "a:2"]),
    ({ $0.spec.mode = .replicated(3) }, ["replicas.old": "1", "replicas.new": "3"]),
    ({ $0.updateStatus = Self.status(.updating) }, ["updatestate.new": "updating"]),
    ({ $0.updateStatus = Self.status(.rollbackStarted) }, ["updatestate.new": "rollback_started"]),
  ]

  @Test("a service's update tells what changed", arguments: serviceUpdates)
  func serviceUpdate(change: @Sendable (inout Service) -> Void, expected: Attributes) throws {
    let events = try Self.events([.service(Self.service(change))], over: [.service(Self.service())])
    #expect(events.map(\.action) == [.update])
    #expect(events.first?.attributes == expected.merging(["name": "web"]) { $1 })
  }

  @Test(
    "the state of an update is told when it changes, and not when it is taken back",
    arguments: [
      (Service.UpdateStatus.State.completed, ["updatestate.old": "updating", "updatestate.new": "completed", "name": "web"]),
      (.updating, ["name": "web"]), (nil, ["name": "web"]),
    ])
  func updateState(new: Service.UpdateStatus.State?, expected: Attributes) throws {
    let old = Self.service { $0.updateStatus = Self.status(.updating) }
    let changed = Self.service {
      $0.updateStatus = new.map(Self.status)
      $0.updateStatus?.message = "another"
    }
    let events = try Self.events([.service(changed)], over: [.service(old)])
    #expect(events.map(\.attributes) == [expected])
  }

  static let nodeUpdates: [(@Sendable (inout Node) -> Void, Attributes)] = [
    ({ $0.spec.labels = [:] }, ["name": "Alpha"]),
    ({ $0.spec.name = "given" }, ["name": "given"]),
    ({ $0.description = nil }, ["name": ""]),
    ({ $0.spec.availability = "drain" }, ["availability.old": "active", "availability.new": "drain", "name": "Alpha"]),
    ({ $0.status.state = .down }, ["state.old": "ready", "state.new": "down", "name": "Alpha"]),
    ({ $0.managerAddr = nil }, ["role.old": "manager", "role.new": "worker", "name": "Alpha"]),
  ]

  @Test("a node's update tells what changed", arguments: nodeUpdates)
  func nodeUpdate(change: @Sendable (inout Node) -> Void, expected: Attributes) throws {
    let events = try Self.events([.node(Self.node(change))], over: [.node(Self.node())])
    #expect(events.map(\.action) == [.update] && events.map(\.attributes) == [expected])
  }

  @Test("an update has the object's time, or its own when the object's was left alone", arguments: [true, false])
  func times(isEdited: Bool) throws {
    let changed = Self.service {
      $0.spec.labels = ["a": "b"]
      if isEdited { $0.updatedAt = Self.edited }
    }
    let events = try Self.events([.service(changed)], over: [.service(Self.service())])
    #expect(events.map(\.time) == [isEdited ? Self.edited : Self.now])
  }

  @Test("an event is written as the engine writes its own")
  func json() {
    let event = ClusterEvent(
      .service, .update, id: "s1", attributes: ["name": "web", "image.old": "a"],
      time: Timestamp(nanoseconds: 1_700_000_000_123_456_789))
    let expected =
      #"{"Type":"service","Action":"update","Actor":{"ID":"s1","Attributes":{"image.old":"a","name":"web"}},"scope":"swarm","#
      + #""time":1700000000,"timeNano":1700000000123456789}"#
    #expect(event.json.text == expected)
  }
}
