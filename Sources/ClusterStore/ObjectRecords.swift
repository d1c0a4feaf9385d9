// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// The stored forms of the objects that are few: JSON, with what a user writes apart from what the control loops write, and
/// credentials beside the spec, whose JSON has none.
enum ObjectRecords {
  struct ServiceSpecPart: Codable, Hashable {
    var spec: ServiceSpec
    var previousSpec: ServiceSpec?
    var registryAuth: Sealed?
    var previousRegistryAuth: Sealed?
    var createdAt: Timestamp
    var updatedAt: Timestamp
    /// Absent for what is no job.
    var jobStatus: Service.JobStatus?
  }
  struct ServiceStatusPart: Codable, Hashable {
    var endpoint: Service.Endpoint?
    var updateStatus: Service.UpdateStatus?
  }
  struct NodeSpecPart: Codable, Hashable {
    var spec: NodeSpec
    var createdAt: Timestamp
    var updatedAt: Timestamp
  }
  struct NodeStatusPart: Codable, Hashable {
    var description: NodeDescription?
    var status: NodeStatus
    var managerAddr: String?
    var ingressSubnet: String?
    /// Absent in what older releases stored.
    var dataPathAddr: String?
  }
  struct ClusterPart: Codable, Hashable {
    var id: String
    var spec: ClusterSpec
    var createdAt: Timestamp
    var updatedAt: Timestamp
    var joinTokens: Cluster.JoinTokens
    var trustRoot: String
    var rotation: RootRotation?
    var defaultAddrPool: [String]
    var subnetSize: Int
    var dataPathPort: Int
    var ingressPool: String
  }
  struct NetworkPart: Codable, Hashable {
    var spec: NetworkSpec
    var createdAt: Timestamp
    var updatedAt: Timestamp
    var tunnel: UInt32
    var subnet: IPv4Subnet
    var gateway: IPv4Address
    var range: IPv4Subnet
  }
  struct PayloadPart: Codable, Hashable {
    var spec: PayloadSpec
    var createdAt: Timestamp
    var updatedAt: Timestamp
  }
  struct TemplatePart: Codable, Hashable {
    var serviceName: String
    var serviceLabels: [String: String]
    var spec: TaskSpec
    var registryAuth: Sealed?
    var endpointSpec: EndpointSpec?
    var ports: [PortConfig]
  }

  static func encode(_ part: some Encodable) throws -> [UInt8] { try GoJSONEncoder().bytes(part) }
  static func decode<T: Decodable>(_ type: T.Type, _ bytes: [UInt8]) throws -> T { try GoJSONDecoder().decode(type, from: bytes) }
}

extension Service {
  var specPart: ObjectRecords.ServiceSpecPart {
    .init(
      spec: spec, previousSpec: previousSpec, registryAuth: spec.taskTemplate.registryAuth,
      previousRegistryAuth: previousSpec?.taskTemplate.registryAuth, createdAt: createdAt, updatedAt: updatedAt,
      jobStatus: jobStatus)
  }
  var statusPart: ObjectRecords.ServiceStatusPart { .init(endpoint: endpoint, updateStatus: updateStatus) }

  init(id: String, spec: ObjectRecords.ServiceSpecPart, status: ObjectRecords.ServiceStatusPart?, version: UInt64) {
    self.init(id: id, spec: spec.spec, createdAt: spec.createdAt)
    self.spec.taskTemplate.registryAuth = spec.registryAuth
    self.previousSpec = spec.previousSpec
    self.previousSpec?.taskTemplate.registryAuth = spec.previousRegistryAuth
    self.updatedAt = spec.updatedAt
    self.jobStatus = spec.jobStatus
    self.endpoint = status?.endpoint
    self.updateStatus = status?.updateStatus
    self.version = version
  }
}

extension Node {
  var specPart: ObjectRecords.NodeSpecPart { .init(spec: spec, createdAt: createdAt, updatedAt: updatedAt) }
  var statusPart: ObjectRecords.NodeStatusPart {
    .init(
      description: description, status: status, managerAddr: managerAddr, ingressSubnet: ingressSubnet?.description,
      dataPathAddr: dataPathAddr)
  }

  init(id: String, spec: ObjectRecords.NodeSpecPart, status: ObjectRecords.NodeStatusPart?, version: UInt64) {
    self.init(id: id, spec: spec.spec, status: status?.status ?? NodeStatus(state: .unknown, addr: ""), createdAt: spec.createdAt)
    self.updatedAt = spec.updatedAt
    self.description = status?.description
    self.managerAddr = status?.managerAddr
    self.ingressSubnet = status?.ingressSubnet.flatMap { IPv4Subnet($0) }
    self.dataPathAddr = status?.dataPathAddr
    self.version = version
  }
}

extension Cluster {
  var part: ObjectRecords.ClusterPart {
    .init(
      id: id, spec: spec, createdAt: createdAt, updatedAt: updatedAt, joinTokens: joinTokens, trustRoot: trustRoot,
      rotation: rotation, defaultAddrPool: defaultAddrPool, subnetSize: subnetSize, dataPathPort: dataPathPort,
      ingressPool: ingressPool.description)
  }

  init(part: ObjectRecords.ClusterPart, version: UInt64) throws {
    guard let pool = IPv4Subnet(part.ingressPool) else { throw RecordError("ingress pool \(part.ingressPool) is no network") }
    self.init(
      id: part.id, spec: part.spec, createdAt: part.createdAt, joinTokens: part.joinTokens, trustRoot: part.trustRoot,
      defaultAddrPool: part.defaultAddrPool, subnetSize: part.subnetSize, dataPathPort: part.dataPathPort, ingressPool: pool)
    self.rotation = part.rotation
    self.updatedAt = part.updatedAt
    self.version = version
  }
}

extension Network {
  var part: ObjectRecords.NetworkPart {
    .init(
      spec: spec, createdAt: createdAt, updatedAt: updatedAt, tunnel: tunnel, subnet: subnet, gateway: gateway, range: range)
  }

  init(id: String, part: ObjectRecords.NetworkPart, version: UInt64) {
    self.init(
      id: id, spec: part.spec, createdAt: part.createdAt, tunnel: part.tunnel, subnet: part.subnet, gateway: part.gateway,
      range: part.range)
    self.updatedAt = part.updatedAt
    self.version = version
  }
}

extension Payload {
  var part: ObjectRecords.PayloadPart { .init(spec: spec, createdAt: createdAt, updatedAt: updatedAt) }

  init(_ kind: PayloadKind, id: String, part: ObjectRecords.PayloadPart, data: [UInt8], version: UInt64) {
    self.init(kind, id: id, spec: part.spec, data: Sealed(bytes: data), createdAt: part.createdAt)
    self.updatedAt = part.updatedAt
    self.version = version
  }
}

extension TaskTemplate {
  var part: ObjectRecords.TemplatePart {
    .init(
      serviceName: serviceName, serviceLabels: serviceLabels, spec: spec, registryAuth: spec.registryAuth,
      endpointSpec: endpointSpec, ports: ports)
  }

  convenience init(key: Key, part: ObjectRecords.TemplatePart) {
    var spec = part.spec
    spec.registryAuth = part.registryAuth
    self.init(
      key: key, serviceName: part.serviceName, serviceLabels: part.serviceLabels, spec: spec, endpointSpec: part.endpointSpec,
      ports: part.ports)
  }
}
