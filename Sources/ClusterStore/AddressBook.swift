// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// Who has which addresses on overlay networks: to find a free one, and who is on a network, without a look at all objects.
package struct AddressBook: Sendable {
  private var pages: [String: AddressPage] = [:]

  /// Of a network; an empty one for one that nobody is on.
  package subscript(networkID: String) -> AddressPage { pages[networkID] ?? AddressPage() }

  mutating func replace(_ old: ClusterTask?, by new: ClusterTask?) {
    let (before, after) = (old?.heldAddresses ?? [], new?.heldAddresses ?? [])
    guard before != after else { return }
    for given in before { edit(given) { $0.remove(given.address, task: old?.id ?? "") } }
    for given in after { edit(given) { $0.add(given.address, task: new?.id ?? "", at: new?.createdAt ?? .zero) } }
  }

  mutating func replace(_ old: Service?, by new: Service?) {
    let (before, after) = (old?.endpoint?.virtualIPs ?? [], new?.endpoint?.virtualIPs ?? [])
    guard before != after else { return }
    for given in before { edit(given) { $0.remove(given.address, service: old?.id ?? "") } }
    for given in after { edit(given) { $0.add(given.address, service: new?.id ?? "", at: new?.createdAt ?? .zero) } }
  }

  mutating func replace(_ old: Attachment?, by new: Attachment?) {
    guard old?.given != new?.given else { return }
    if let old { edit(old.given) { $0.remove(old.address, attachment: old.id) } }
    if let new { edit(new.given) { $0.add(new.address, attachment: new.id, at: new.createdAt) } }
  }

  private mutating func edit(_ given: NetworkAddress, _ change: (inout AddressPage) -> Void) {
    var page = pages.removeValue(forKey: given.networkID) ?? AddressPage()
    change(&page)
    pages[given.networkID] = page
  }
}

/// The addresses of one overlay network that are somebody's.
package struct AddressPage: Sendable {
  /// Tasks that have not ended.
  package private(set) var taskIDs: Set<String> = []
  /// Services with an address of their own.
  package private(set) var serviceIDs: Set<String> = []
  package private(set) var attachmentIDs: Set<String> = []
  private var taken: [UInt32: Int] = [:]
  /// The one given last, and when.
  private var last: (bits: UInt32, at: Timestamp)?

  package var isEmpty: Bool { taken.isEmpty }
  package func isTaken(_ address: IPv4Address) -> Bool { taken[address.bits] != nil }

  /// The next one after the one given last, so that one just released is not used again soon; `nil` when all are taken.
  package func next(in network: Network) -> IPv4Address? {
    let first = max(network.range.base.bits, network.subnet.base.bits + 1)
    let end = min(network.range.last.bits, network.subnet.last.bits - 1)
    guard first <= end else { return nil }
    let after = last.map { $0.bits + 1 } ?? first
    let start = (first...end).contains(after) ? after : first
    let isFree: (UInt32) -> Bool = { taken[$0] == nil && $0 != network.gateway.bits }
    return ((start...end).first(where: isFree) ?? (first...end).first(where: isFree)).map { IPv4Address(bits: $0) }
  }

  fileprivate mutating func add(_ address: IPv4Address, task: String, at time: Timestamp) {
    taskIDs.insert(task)
    add(address, at: time)
  }

  fileprivate mutating func add(_ address: IPv4Address, service: String, at time: Timestamp) {
    serviceIDs.insert(service)
    add(address, at: time)
  }

  fileprivate mutating func add(_ address: IPv4Address, attachment: String, at time: Timestamp) {
    attachmentIDs.insert(attachment)
    add(address, at: time)
  }

  fileprivate mutating func remove(_ address: IPv4Address, attachment: String) {
    attachmentIDs.remove(attachment)
    remove(address)
  }

  fileprivate mutating func remove(_ address: IPv4Address, task: String) {
    taskIDs.remove(task)
    remove(address)
  }

  fileprivate mutating func remove(_ address: IPv4Address, service: String) {
    serviceIDs.remove(service)
    remove(address)
  }

  private mutating func add(_ address: IPv4Address, at time: Timestamp) {
    taken[address.bits, default: 0] += 1
    if last.map({ ($0.at, $0.bits) < (time, address.bits) }) ?? true { last = (address.bits, time) }
  }

  private mutating func remove(_ address: IPv4Address) {
    guard let count = taken[address.bits] else { return }
    taken[address.bits] = count > 1 ? count - 1 : nil
  }
}

extension Attachment {
  fileprivate var given: NetworkAddress { NetworkAddress(networkID: networkID, address: address) }
}

extension ClusterTask {
  /// One that has ended has let go of its addresses.
  fileprivate var heldAddresses: [NetworkAddress] { addresses.isEmpty || state.isTerminal ? [] : addresses }
}
