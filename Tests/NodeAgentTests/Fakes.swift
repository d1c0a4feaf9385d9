// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import ClusterRPC
import Synchronization

@testable import NodeAgent

/// A leader's store, as far as an agent can tell: keeps tasks, merges statuses by their order, sends complete assignments.
actor FakeDispatcher: Dispatcher {
  var tasks: [String: ClusterTask] = [:]
  var networks: [OverlayNetwork] = []
  var payloads: [AssignedPayload] = []
  var table = EndpointTable(generation: 1)
  var term: UInt64 = 1
  var subnet = Fixtures.subnet
  private(set) var descriptions: [NodeDescription] = []
  private(set) var registered: [[String: TaskStatus]] = []
  private(set) var reports: [TrafficReport] = []
  /// Statuses in order of arrival, by task.
  private(set) var history: [String: [TaskStatus]] = [:]
  private var refusals = 0
  private var session: AsyncStream<Assignment>.Continuation?

  struct Unavailable: Error {}

  func refuseUpdates(_ count: Int) { refusals = count }

  /// Changes tasks or the table and sends the whole again.
  func assign(_ change: @Sendable (isolated FakeDispatcher) -> Void) {
    change(self)
    send()
  }

  func endSession() { session?.finish() }

  func send() {
    session?.yield(
      Assignment(
        clusterID: Fixtures.cluster, nodeID: Fixtures.node, term: term, tasks: tasks.values.sorted { $0.id < $1.id },
        ingressSubnet: subnet, table: table, networks: networks, payloads: payloads))
  }

  func register(description: NodeDescription, statuses: [String: TaskStatus]) {
    descriptions.append(description)
    registered.append(statuses)
    merge(statuses)
  }

  func assignments() -> AsyncStream<Assignment> {
    let (stream, continuation) = AsyncStream<Assignment>.makeStream(bufferingPolicy: .bufferingNewest(1))
    session = continuation
    send()
    return stream
  }

  func update(statuses: [String: TaskStatus]) throws {
    guard refusals == 0 else {
      refusals -= 1
      throw Unavailable()
    }
    for (id, status) in statuses { history[id, default: []].append(status) }
    merge(statuses)
  }

  func report(traffic: TrafficReport) { reports.append(traffic) }

  /// What `attach` answers, by the network asked for.
  var attachments: [String: NodeMessage.AttachReply] = [:]
  private(set) var attached: [NodeMessage.AttachedContainers] = []

  func attach(_ request: NodeMessage.AttachRequest) throws -> NodeMessage.AttachReply {
    guard let reply = attachments[request.network] else {
      throw RPCFailure(.notFound, "network \(request.network) not found")
    }
    return reply
  }

  func report(containers: NodeMessage.AttachedContainers) { attached.append(containers) }

  private func merge(_ statuses: [String: TaskStatus]) {
    for (id, status) in statuses where tasks[id]?.status.yields(to: status) == true { tasks[id]?.status = status }
  }
}

/// Records what it is told to program.
final class FakePlane: TrafficPlane {
  struct Failure: Error {}
  struct State {
    var tables: [EndpointTable] = []
    var cuts: [Set<IPv4Address>] = []
    var failures = 0
    var failedPorts: [UInt16: String] = [:]
    var open: [String: Int] = [:]
    var subscriber: AsyncStream<[String: Int]>.Continuation?
    var forgotten: [IPv4Address] = []
  }

  let state = Mutex(State())

  func program(_ table: EndpointTable) async throws -> TrafficOutcome {
    try state.withLock { state in
      if state.failures > 0 {
        state.failures -= 1
        throw Failure()
      }
      state.tables.append(table)
      return TrafficOutcome(generation: table.generation, failedPorts: state.failedPorts)
    }
  }

  /// A table without them must be in force.
  func cut(_ addresses: Set<IPv4Address>) {
    state.withLock { state in
      let ready = state.tables.last?.listeners.flatMap { $0.endpoints.filter { $0.state == .ready }.map(\.address) } ?? []
      if addresses.isDisjoint(with: ready) { state.cuts.append(addresses) }
    }
  }

  func forget(_ address: IPv4Address) { state.withLock { $0.forgotten.append(address) } }

  var cuts: [Set<IPv4Address>] { state.withLock { $0.cuts } }

  func openConnections(of endpoints: [String]) async throws -> [String: Int] { state.withLock { $0.open } }

  func drainingConnections() -> AsyncStream<[String: Int]> {
    AsyncStream { continuation in state.withLock { $0.subscriber = continuation } }
  }

  func setOpen(_ open: [String: Int]) {
    state.withLock { state in
      state.open = open
      state.subscriber?.yield(open)
    }
  }

  var tables: [EndpointTable] { state.withLock { $0.tables } }
}

/// Processes with networks of their own, which have as many connections open as a test says.
actor FakeNetworks: NodeNetworks {
  private(set) var meshes: [Mesh?] = []
  private(set) var overlays: [[OverlayNetwork]] = []
  private(set) var bridgeChanges = 0
  private(set) var attended: [Set<OverlayContainer>] = []
  private(set) var packetSize: UInt32? = 1_450
  private(set) var destinations: Set<IPv4Address> = []
  let silent = AsyncStream.makeStream(of: Set<IPv4Subnet>.self, bufferingPolicy: .bufferingNewest(1))

  func want(_ mesh: Mesh?, _ overlays: [OverlayNetwork]) {
    meshes.append(mesh)
    self.overlays.append(overlays)
  }
  func bridgesChanged() { bridgeChanges += 1 }
  func attend(_ containers: Set<OverlayContainer>) { attended.append(containers) }
  func sendsTo(_ addresses: Set<IPv4Address>) { destinations = addresses }
  func silentPeers() -> AsyncStream<Set<IPv4Subnet>> { silent.stream }
}

final class FakeSockets: TaskSockets {
  struct Unreadable: Error {}
  struct State {
    /// By process.
    var open: [Int: Int] = [:]
    /// The same from the second question on, where it is another.
    var openLater: [Int: Int] = [:]
    var isUnreadable = false
    var opened: [Int] = []
    /// Those that take no more.
    var shut: [Int] = []
    /// What is open from then on.
    var openWhenShut: [Int: [Int]] = [:]
    var asked: [CountedPorts] = []
    /// Done when a namespace is opened, before its process is looked up again.
    var meanwhile: (@Sendable () async -> Void)?
  }
  private struct Network: TaskNetwork {
    let sockets: FakeSockets
    let process: Int

    func openConnections(to ports: CountedPorts) async throws -> Int {
      sockets.state.withLock { state in
        state.asked.append(ports)
        if state.shut.contains(process), state.openWhenShut[process]?.isEmpty == false {
          return state.openWhenShut[process]?.removeFirst() ?? 0
        }
        return (state.asked.count > 1 ? state.openLater[process] : nil) ?? state.open[process] ?? 0
      }
    }
    func refuseConnections() { sockets.state.withLock { $0.shut.append(process) } }
  }

  let state = Mutex(State())

  func network(ofProcess id: Int) async throws -> (any TaskNetwork)? {
    let (isUnreadable, meanwhile) = state.withLock { state in
      state.opened.append(id)
      return (state.isUnreadable, state.meanwhile)
    }
    await meanwhile?()
    if isUnreadable { throw Unreadable() }
    return Network(sockets: self, process: id)
  }
}

/// A host's files in a dictionary.
final class FakeFiles: TaskFiles {
  struct Full: Error {}
  private let state = Mutex<(files: [String: [TaskFile]], isFull: Bool)>(([:], false))

  var all: [String: [TaskFile]] { state.withLock { $0.files } }
  /// A reboot.
  func lose() { state.withLock { $0.files = [:] } }
  func fill() { state.withLock { $0.isFull = true } }

  func path(ofFile number: Int, ofTask id: String) -> String { "/run/tasks/\(id)/\(number)" }

  func place(_ files: [TaskFile], ofTask id: String) throws {
    try state.withLock { state in
      if state.isFull { throw Full() }
      state.files[id] = files
    }
  }

  func remove(ofTask id: String) { state.withLock { $0.files[id] = nil } }
  func taskIDs() -> Set<String> { state.withLock { Set($0.files.keys) } }
}
