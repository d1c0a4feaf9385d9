// SPDX-License-Identifier: Apache-2.0

import Balancing
package import ClusterModel
package import ClusterRPC
import ClusterStore
package import Logging
import Orchestration

/// The manager's side of one node's session. The agent of a manager has it in process.
///
/// Whenever the store changes, what the change may concern of the node's complete assignment is made anew, and the whole is sent if it
/// differs.
package actor NodeSession: Dispatcher {
  let nodeID: String
  private let address: String
  private let dataPathAddr: String?
  let store: Store
  private let loop: ControlLoop
  private let views: SharedViews
  let now: @Sendable () -> Now
  private let logger: Logger
  private let wakeup = Wakeup()
  private var readers: [AsyncStream<Assignment>.Continuation] = []
  private var draft: AssignmentDraft?
  private var last: Assignment? { draft?.assignment }
  /// The store version up to which `last` is known to be what the node is to do.
  private var builtVersion: UInt64 = 0
  private var traffic = TrafficReport(generation: 0)
  private var isEnded = false

  /// `address` is what the managers see the node at, `dataPathAddr` where a worker wants its peers' traffic instead; `views` are those of all sessions.
  package init(
    nodeID: String, address: String, dataPathAddr: String? = nil, store: Store, loop: ControlLoop,
    views: SharedViews = SharedViews(), logger: Logger,
    now: @escaping @Sendable () -> Now
  ) {
    self.views = views
    self.nodeID = nodeID
    self.address = address
    self.dataPathAddr = dataPathAddr
    self.store = store
    self.loop = loop
    self.logger = logger
    self.now = now
  }

  /// Keeps the assignment current until cancelled.
  package func run() async {
    let watcher = await store.watch(wakeup.signal)
    while !Task.isCancelled, !isEnded {
      let began = now().uptime
      await refresh(watcher)
      await wakeup.wait(until: nil, uptime: .zero)
      await wakeup.pace(since: began, uptime: now().uptime, views.pace)
    }
    await store.stopWatching(watcher)
    end()
  }

  /// Ends the session for good: the agent has to begin another.
  func end() {
    isEnded = true
    for reader in readers { reader.finish() }
    readers = []
    wakeup.signal.yield()
  }

  private func refresh(_ watcher: Int) async {
    let (nodeID, isFirst, known, views) = (nodeID, draft == nil, draft, views)
    let news = await store.read(changesOf: watcher) { dirty, store in
      AssignmentDraft.News(of: nodeID, in: store, since: isFirst ? nil : dirty, known: known, views: views)
    }
    guard let news else { return }
    builtVersion = news.version
    var draft = draft ?? AssignmentDraft(news)
    let isNew = draft.take(news) || isFirst
    self.draft = draft
    if isNew { for reader in readers { reader.yield(draft.assignment) } }
    acknowledge()
  }

  /// A node that has applied the newest table has applied all versions that the table stands for.
  private func acknowledge() {
    guard let last, traffic.generation >= last.table.generation else {
      return loop.note(nodeID: nodeID, generation: traffic.generation, openConnections: traffic.openConnections)
    }
    loop.note(nodeID: nodeID, generation: builtVersion, openConnections: traffic.openConnections)
  }
}

extension NodeSession {
  package func register(description: NodeDescription, statuses: [String: TaskStatus]) async throws {
    try await register(description: description, statuses: statuses, hold: nil)
  }

  /// `hold`: why the node is not to be given tasks yet.
  func register(description: NodeDescription, statuses: [String: TaskStatus], hold: String?) async throws {
    let (nodeID, address, dataPathAddr) = (nodeID, address, dataPathAddr)
    try await store.batch { transaction in
      guard var node = transaction.node(nodeID) else { return }
      node.description = description
      // What was said of its absence is over.
      let message = node.status.state == .ready ? node.status.message : nil
      node.status = NodeStatus(state: hold == nil ? .ready : .unknown, message: hold ?? message, addr: address)
      // A manager's own choice was stored with its node.
      if !node.isManager { node.dataPathAddr = dataPathAddr }
      transaction.put(node)
    }
    try await update(statuses: statuses)
  }

  /// The host has changed.
  func describe(_ description: NodeDescription) async throws {
    let nodeID = nodeID
    try await store.batch { transaction in
      guard var node = transaction.node(nodeID) else { return }
      node.description = description
      transaction.put(node)
    }
  }

  package func assignments() -> AsyncStream<Assignment> {
    let (stream, continuation) = AsyncStream.makeStream(of: Assignment.self, bufferingPolicy: .bufferingNewest(1))
    if isEnded { continuation.finish() } else { readers.append(continuation) }
    if let last { continuation.yield(last) }
    return stream
  }

  package func update(statuses: [String: TaskStatus]) async throws {
    let (nodeID, wall) = (nodeID, now().wall)
    try await store.batch { transaction in
      for (id, status) in statuses.sorted(by: { $0.key < $1.key }) {
        guard var task = transaction.task(id), task.nodeID == nodeID, task.report(status, at: wall) else { continue }
        transaction.put(task)
      }
    }
  }

  package func report(traffic: TrafficReport) async {
    for (port, reason) in traffic.failedPorts where self.traffic.failedPorts[port] != reason {
      logger.warning("a published port cannot be opened on this node", metadata: ["port": "\(port)", "reason": "\(reason)"])
    }
    let isNews = traffic.failedPorts != self.traffic.failedPorts
    self.traffic = traffic
    acknowledge()
    if isNews { await show(traffic.failedPorts) }
  }

  /// Where a user can see it: swarm has no place for a published port that another program holds, and a node's message is free.
  private func show(_ failedPorts: [UInt16: String]) async {
    let nodeID = nodeID
    do {
      try await store.batch { transaction in
        guard var node = transaction.node(nodeID) else { return }
        node.status.message = NodeStatus.message(ofFailedPorts: failedPorts)
        transaction.put(node)
      }
    } catch {
      logger.warning("the node's message could not be written", metadata: ["error": "\(error)"])
    }
  }
}

extension NodeStatus {
  fileprivate static func message(ofFailedPorts ports: [UInt16: String]) -> String? {
    let list = ports.sorted { $0.key < $1.key }.map { "published port \($0.key) cannot be opened: \($0.value)" }
    return list.isEmpty ? nil : list.joined(separator: "; ")
  }
}
