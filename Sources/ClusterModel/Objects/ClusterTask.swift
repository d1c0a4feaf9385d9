// SPDX-License-Identifier: Apache-2.0

/// One attempt to run one container for a service: swarm's task. A change never edits a task's spec, it makes a new task.
///
/// Named so because `Task` is Swift's own.
package struct ClusterTask: Sendable, Hashable {
  /// A stop that waits until balancers have let go of the task: see `TrafficDirector`.
  package struct Drain: Sendable, Hashable, Codable {
    /// What to desire once it is over: `shutdown` or `remove`.
    package var desiredState: TaskState

    package init(desiredState: TaskState) { self.desiredState = desiredState }
  }

  // By reference and copied on write, as a step of the control plane passes each task on many times and changes few.
  private var storage: Storage

  package init(
    id: String, template: TaskTemplate, slot: Int, nodeID: String = "", desiredState: TaskState, status: TaskStatus,
    jobIteration: UInt64? = nil, createdAt: Timestamp
  ) {
    storage = Storage(
      Fields(
        id: id, template: template, slot: slot, nodeID: nodeID, jobIteration: jobIteration, desiredState: desiredState,
        status: status, createdAt: createdAt, updatedAt: createdAt))
  }

  private var fields: Fields {
    _read { yield storage.fields }
    _modify {
      if !isKnownUniquelyReferenced(&storage) { storage = Storage(storage.fields) }
      yield &storage.fields
    }
  }

  package var id: String { fields.id }
  package var template: TaskTemplate { fields.template }
  /// 1 and up for replicated services and jobs, 0 for global ones.
  package var slot: Int { fields.slot }
  /// The slot as users see it; 0 is none. Jobs count their completions from 0, so that the first is shown like a global one's.
  package var shownSlot: Int { jobIteration == nil ? slot : max(slot - 1, 0) }
  /// Which run of its job it belongs to; `nil` for a task that is to run without end.
  package var jobIteration: UInt64? { fields.jobIteration }
  /// Empty until the scheduler has chosen.
  package var nodeID: String {
    _read { yield fields.nodeID }
    _modify { yield &fields.nodeID }
  }
  package var desiredState: TaskState {
    get { fields.desiredState }
    set { fields.desiredState = newValue }
  }
  package var status: TaskStatus {
    _read { yield fields.status }
    _modify { yield &fields.status }
  }
  package var drain: Drain? {
    get { fields.drain }
    set { fields.drain = newValue }
  }
  /// On the ingress network of its node; given with the node when the service publishes ingress ports.
  package var ingressAddress: IPv4Address? {
    get { fields.ingressAddress }
    set { fields.ingressAddress = newValue }
  }
  /// On overlay networks; given with the node. In the order of the spec.
  package var addresses: [NetworkAddress] {
    _read { yield fields.addresses }
    _modify { yield &fields.addresses }
  }
  /// What the scheduler gave it of its node's, for its reservations.
  package var genericResources: [GenericResource] {
    _read { yield fields.genericResources }
    _modify { yield &fields.genericResources }
  }
  /// Its node may no longer run it: once it has stopped, it counts as rejected.
  package var isEvicted: Bool {
    get { fields.isEvicted }
    set { fields.isEvicted = newValue }
  }
  package var createdAt: Timestamp { fields.createdAt }
  package var updatedAt: Timestamp {
    get { fields.updatedAt }
    set { fields.updatedAt = newValue }
  }
  /// Store version of the last write; 0 before the first.
  package var version: UInt64 {
    get { fields.version }
    set { fields.version = newValue }
  }

  package static func == (left: ClusterTask, right: ClusterTask) -> Bool {
    left.storage === right.storage || left.fields == right.fields
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(fields) }

  private struct Fields: Sendable, Hashable {
    let id: String
    let template: TaskTemplate
    let slot: Int
    var nodeID: String
    let jobIteration: UInt64?
    var desiredState: TaskState
    var status: TaskStatus
    var drain: Drain?
    var ingressAddress: IPv4Address?
    var addresses: [NetworkAddress] = []
    var genericResources: [GenericResource] = []
    var isEvicted = false
    let createdAt: Timestamp
    var updatedAt: Timestamp
    var version: UInt64 = 0
  }

  /// Unchecked: `fields` of the value above is its only writer, and copies it first unless that value alone refers to it. So nobody else
  /// can read it meanwhile.
  private final class Storage: @unchecked Sendable {
    // For the same reason; access to the value itself is checked.
    @exclusivity(unchecked) var fields: Fields

    init(_ fields: Fields) { self.fields = fields }
  }

  package var serviceID: String { template.key.serviceID }
  package var state: TaskState { status.state }

  /// What it will be told to be once a drain under way is over.
  package var intendedState: TaskState { max(desiredState, drain?.desiredState ?? desiredState) }

  /// Takes a report of its progress; whether it was news. A lower state than is known never is.
  package mutating func report(_ later: TaskStatus, at wall: Timestamp) -> Bool {
    guard status.yields(to: later) else { return false }
    status = later
    updatedAt = wall
    if isEvicted, state == .shutdown {
      status.state = .rejected
      status.message = "task rejected by constraint enforcer"
      status.err = "assigned node no longer meets constraints"
    }
    return true
  }

  /// Meant to run, and not ended.
  package var isLive: Bool { intendedState < .shutdown && !state.isTerminal }

  /// Runs, and has not been told to stop.
  package var isServing: Bool { state == .running && (.running ... .complete).contains(desiredState) }

  /// `web.1.<id>`, or `web.<node id>.<id>` for a global service: also the container's name.
  package var name: String { "\(slotName).\(id)" }

  /// `web.1`, or `web.<node id>` for a global service: what tasks that replace each other share.
  package var slotName: String { "\(template.serviceName).\(shownSlot > 0 ? String(shownSlot) : nodeID)" }
}
