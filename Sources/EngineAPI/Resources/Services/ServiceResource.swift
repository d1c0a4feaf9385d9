// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import ClusterStore

/// Writes of services, over a transaction. Network targets are already ids of overlay networks and names of `PredefinedNetwork`.
package enum ServiceResource {
  /// Checks and stores a service. `id` is a new one, which its sealed credentials belong to.
  package static func create(
    _ spec: ServiceSpec, id: String, now: Timestamp, generator: inout some RandomNumberGenerator,
    in transaction: inout Transaction
  ) throws(SpecError) {
    try spec.checkConversion()
    var spec = spec.canonical().withMode()
    try spec.checkSupport()
    if (spec.name ?? "").isEmpty { spec.name = freeName(using: &generator, in: transaction) }
    try spec.validate()
    try NetworkResource.check(spec, in: transaction)
    try checkPorts(of: spec, exceptID: nil, in: transaction)
    try PayloadResource.check(spec, in: transaction)
    let name = spec.name ?? ""
    guard transaction.service(named: name) == nil else {
      throw SpecError(rpc: .alreadyExists, "name conflicts with an existing object: service \(name) already exists")
    }
    var service = Service(id: id, spec: spec, createdAt: now)
    service.beginRun(at: now)
    transaction.put(service)
  }

  package struct Update: Sendable {
    /// `registryAuthFrom=previous-spec`: a spec without credentials of its own gets those of the previous one, not the current one's.
    package var keepsPreviousAuth: Bool
    /// `rollback=previous`: the body is checked, its content is not used.
    package var isRollback: Bool

    package init(keepsPreviousAuth: Bool = false, isRollback: Bool = false) {
      self.keepsPreviousAuth = keepsPreviousAuth
      self.isRollback = isRollback
    }
  }

  /// Stores a new spec, or swaps in the previous one. Either way the update's status begins anew in the same transaction: clients
  /// that watch would otherwise take the last update's end for this one's.
  package static func update(
    _ id: String, to spec: ServiceSpec, version: UInt64, _ options: Update = Update(), now: Timestamp,
    in transaction: inout Transaction
  ) throws(SpecError) {
    try spec.checkConversion()
    guard var service = transaction.service(id) else { throw SpecError(status: 404, "service \(id) not found") }
    let auth = try registryAuth(of: spec, updating: service, options)
    var spec = spec.canonical().withMode()
    try spec.checkSupport()
    spec.taskTemplate.registryAuth = auth
    // The front end of swarm invents a name for a spec without one, which is then another name.
    guard spec.name?.isEmpty == false else { throw SpecError(rpc: .unimplemented, "renaming services is not supported") }
    try spec.validate()
    try NetworkResource.check(spec, of: service, in: transaction)
    try checkPorts(of: spec, exceptID: id, in: transaction)
    try PayloadResource.check(spec, in: transaction)
    guard spec.mode.kind == service.spec.mode.kind else {
      throw SpecError(rpc: .unimplemented, "service mode change is not allowed")
    }
    guard spec.name == service.spec.name else { throw SpecError(rpc: .unimplemented, "renaming services is not supported") }
    try replaceSpec(of: &service, by: options.isRollback ? nil : spec, now)
    guard version == service.version else { throw SpecError(rpc: .unknown, "update out of sequence") }
    service.updatedAt = now
    service.beginRun(at: now)
    transaction.put(service)
  }

  private static func registryAuth(
    of spec: ServiceSpec, updating service: Service, _ options: Update
  ) throws(SpecError) -> Sealed? {
    if let given = spec.taskTemplate.registryAuth { return given }
    guard options.keepsPreviousAuth else { return service.spec.taskTemplate.registryAuth }
    guard let previous = service.previousSpec else { throw SpecError(status: 500, "service does not have a previous spec") }
    return previous.taskTemplate.registryAuth
  }

  /// `nil` for the previous one.
  private static func replaceSpec(of service: inout Service, by spec: ServiceSpec?, _ now: Timestamp) throws(SpecError) {
    let current = service.spec
    if let spec {
      service.spec = spec
      service.updateStatus = nil
    } else {
      guard let previous = service.previousSpec else {
        throw .failedPrecondition("service \(service.id) does not have a previous spec")
      }
      service.spec = previous
      service.updateStatus = .init(state: .rollbackStarted, startedAt: now, message: "manually requested rollback")
    }
    service.previousSpec = current
  }

  private static func checkPorts(
    of spec: ServiceSpec, exceptID: String?, in transaction: borrowing Transaction
  ) throws(SpecError) {
    let ports = spec.endpointSpec?.ports ?? []
    var others: Set<String> = []
    for port in ports.compactMap(PublishedPort.init) { others.formUnion(transaction.serviceIDs(publishing: port)) }
    for id in others.sorted() where id != exceptID {
      if let conflict = transaction.service(id)?.portConflict(with: ports) { throw conflict }
    }
  }

  /// Ten draws; then the conflict shows as for any other name.
  private static func freeName(
    using generator: inout some RandomNumberGenerator, in transaction: borrowing Transaction
  ) -> String {
    var name = NameGenerator.name(using: &generator)
    for _ in 0..<9 {
      guard transaction.service(named: name) != nil else { break }
      name = NameGenerator.name(using: &generator)
    }
    return name
  }
}

extension ServiceMode {
  fileprivate var kind: Int { replicated != nil ? 0 : global != nil ? 1 : replicatedJob != nil ? 2 : 3 }
}
