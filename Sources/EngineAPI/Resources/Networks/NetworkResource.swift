// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import ClusterStore
import Orchestration

/// Writes of overlay networks, over a transaction.
package enum NetworkResource {
  package static func create(
    _ spec: NetworkSpec, id: String, now: Timestamp, in transaction: inout Transaction
  ) throws(SpecError) {
    try ObjectName.check(spec.name)
    let wanted = spec.name.lowercased()
    guard !transaction.networks.contains(where: { $0.name.lowercased() == wanted }) else { throw nameTaken(spec.name) }
    transaction.put(try NetworkAllocator.network(id: id, spec, now: now, in: transaction))
  }

  static func nameTaken(_ name: String) -> SpecError { SpecError(status: 409, "network with name \(name) already exists") }

  /// What a service or a task needs stays.
  package static func remove(_ id: String, in transaction: inout Transaction) throws(SpecError) {
    guard transaction.network(id) != nil else { throw SpecError(status: 404, "network \(id) not found") }
    let services = transaction.services.filter { $0.spec.taskTemplate.networks?.contains { $0.target == id } == true }
    if let service = services.first { throw .failedPrecondition("network \(id) is in use by service \(service.id)") }
    let tasks = transaction.addresses[id].taskIDs.compactMap(transaction.task).filter { $0.desiredState < .shutdown }
    if let task = tasks.map(\.id).min() { throw .failedPrecondition("network \(id) is in use by task \(task)") }
    if let attachment = transaction.addresses[id].attachmentIDs.min() {
      throw .failedPrecondition("network \(id) is in use by container \(attachment.prefix { $0 != "@" }.prefix(25))")
    }
    transaction.removeNetwork(id)
  }

  /// All that nobody uses and that `fits`; their names, sorted.
  package static func prune(_ fits: (Network) -> Bool, in transaction: inout Transaction) -> [String] {
    transaction.networks.filter(fits).filter { network in
      do {
        try remove(network.id, in: &transaction)
        return true
      } catch {
        return false
      }
    }.map(\.name).sorted()
  }

  /// Networks that a spec names must be there when it is written, and have room for the service's own address. `service` is the one that
  /// is updated.
  static func check(
    _ spec: ServiceSpec, of service: Service? = nil, in transaction: borrowing Transaction
  ) throws(SpecError) {
    for target in (spec.taskTemplate.networks ?? []).compactMap(\.target) {
      guard PredefinedNetwork(rawValue: target) != nil || transaction.network(target) != nil else {
        throw SpecError(status: 404, "network \(target) not found")
      }
      guard spec.endpointSpec?.mode != "dnsrr", let network = transaction.network(target) else { continue }
      let hasOwn = service?.endpoint?.virtualIPs?.contains { $0.networkID == target } ?? false
      guard hasOwn || transaction.addresses[target].next(in: network) != nil else {
        throw .failedPrecondition("no free address on network \(network.name)")
      }
    }
  }
}
