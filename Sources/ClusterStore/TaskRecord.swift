// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// The stored form of a task: about 150 bytes, its spec being a reference to the template that it shares with its siblings.
enum TaskRecord {
  /// 2 added generic resources and eviction, 3 addresses on overlay networks, 4 the run of a job; all before are still read.
  private static let format: UInt64 = 4

  static func encode(_ task: ClusterTask) -> [UInt8] {
    var writer = RecordWriter()
    writer.write(format)
    writer.write(task.template.key.serviceID)
    writer.write(task.template.key.specVersion)
    writer.write(task.slot)
    writer.write(task.nodeID)
    writer.write(task.desiredState.rawValue)
    writer.write(task.createdAt.nanoseconds)
    writer.write(task.updatedAt.nanoseconds)
    writer.write(UInt64(task.ingressAddress?.bits ?? 0))
    writer.write(task.drain?.desiredState.rawValue ?? -1)
    encode(task.status, to: &writer)
    encode(task.genericResources, to: &writer)
    writer.write(task.isEvicted)
    writer.write(UInt64(task.addresses.count))
    for given in task.addresses {
      writer.write(given.networkID)
      writer.write(UInt64(given.address.bits))
    }
    writer.write(task.jobIteration != nil)
    if let iteration = task.jobIteration { writer.write(iteration) }
    return writer.bytes
  }

  static func templateKey(of bytes: [UInt8]) throws(RecordError) -> TaskTemplate.Key {
    var reader = RecordReader(bytes)
    return try readHead(&reader).key
  }

  static func decode(_ bytes: [UInt8], id: String, template: TaskTemplate) throws(RecordError) -> ClusterTask {
    var reader = RecordReader(bytes)
    let head = try readHead(&reader)
    let slot = try reader.int()
    let nodeID = try reader.string()
    let desiredState = try state(try reader.int())
    let createdAt = Timestamp(nanoseconds: try reader.signed())
    let updatedAt = Timestamp(nanoseconds: try reader.signed())
    let address = UInt32(truncatingIfNeeded: try reader.unsigned())
    let drainState = try reader.int()
    let status = try status(&reader)
    let resources = head.format > 1 ? try genericResources(&reader) : []
    let isEvicted = head.format > 1 ? try reader.flag() : false
    let addresses = head.format > 2 ? try addresses(&reader) : []
    let isOfJob = head.format > 3 ? try reader.flag() : false
    let iteration = isOfJob ? try reader.unsigned() : nil
    var task = ClusterTask(
      id: id, template: template, slot: slot, nodeID: nodeID, desiredState: desiredState, status: status,
      jobIteration: iteration, createdAt: createdAt)
    task.updatedAt = updatedAt
    task.ingressAddress = address == 0 ? nil : IPv4Address(bits: address)
    if drainState >= 0 { task.drain = .init(desiredState: try state(drainState)) }
    (task.genericResources, task.isEvicted, task.addresses) = (resources, isEvicted, addresses)
    return task
  }

  private static func readHead(
    _ reader: inout RecordReader
  ) throws(RecordError) -> (format: UInt64, key: TaskTemplate.Key) {
    let found = try reader.unsigned()
    guard (1...format).contains(found) else {
      throw RecordError(
        "task record of format \(found); this release reads formats up to \(format): use the release that wrote it")
    }
    return (found, TaskTemplate.Key(serviceID: try reader.string(), specVersion: try reader.unsigned()))
  }

  private static func encode(_ status: TaskStatus, to writer: inout RecordWriter) {
    writer.write(status.state.rawValue)
    writer.write(status.timestamp.nanoseconds)
    writer.write(status.message)
    writer.write(status.err)
    writer.write(status.containerID)
    writer.write(status.pid)
    writer.write(status.exitCode)
    writer.write(status.isReady)
    writer.write(UInt64(status.hostPorts.count))
    for port in status.hostPorts {
      writer.write(port.transport)
      writer.write(UInt64(port.targetPort ?? 0))
      writer.write(UInt64(port.publishedPort ?? 0))
    }
  }

  private static func status(_ reader: inout RecordReader) throws(RecordError) -> TaskStatus {
    var status = TaskStatus(
      state: try state(try reader.int()), timestamp: Timestamp(nanoseconds: try reader.signed()), message: try reader.string(),
      err: try reader.string(), containerID: try reader.string(), pid: try reader.int(), exitCode: try reader.int())
    status.isReady = try reader.flag()
    for _ in 0..<(try reader.unsigned()) {
      let transport = try reader.string()
      let target = UInt32(truncatingIfNeeded: try reader.unsigned())
      let published = UInt32(truncatingIfNeeded: try reader.unsigned())
      status.hostPorts.append(
        PortConfig(targetPort: target, publishedPort: published, protocol: transport, publishMode: "host"))
    }
    return status
  }

  private static func encode(_ resources: [GenericResource], to writer: inout RecordWriter) {
    writer.write(UInt64(resources.count))
    for resource in resources {
      writer.write(resource.kind)
      writer.write(resource.count == nil)
      if let count = resource.count { writer.write(count) } else { writer.write(resource.text) }
    }
  }

  private static func genericResources(_ reader: inout RecordReader) throws(RecordError) -> [GenericResource] {
    var resources: [GenericResource] = []
    for _ in 0..<(try reader.unsigned()) {
      let kind = try reader.string()
      let isNamed = try reader.flag()
      resources.append(isNamed ? .named(kind, try reader.string()) : .discrete(kind, try reader.signed()))
    }
    return resources
  }

  private static func addresses(_ reader: inout RecordReader) throws(RecordError) -> [NetworkAddress] {
    var addresses: [NetworkAddress] = []
    for _ in 0..<(try reader.unsigned()) {
      let network = try reader.string()
      addresses.append(.init(networkID: network, address: IPv4Address(bits: UInt32(truncatingIfNeeded: try reader.unsigned()))))
    }
    return addresses
  }

  private static func state(_ number: Int) throws(RecordError) -> TaskState {
    guard let state = TaskState(rawValue: number) else { throw RecordError("\(number) is no task state") }
    return state
  }
}
