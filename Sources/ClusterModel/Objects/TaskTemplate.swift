// SPDX-License-Identifier: Apache-2.0

/// One version of a service's spec as its tasks run it, shared by all of them: in memory one object, in the store one record.
package final class TaskTemplate: Sendable, Hashable {
  package struct Key: Sendable, Hashable, Codable {
    package var serviceID: String
    /// The service's spec version that the tasks were made from.
    package var specVersion: UInt64

    package init(serviceID: String, specVersion: UInt64) {
      self.serviceID = serviceID
      self.specVersion = specVersion
    }
  }

  package let key: Key
  package let serviceName: String
  /// The service's labels, which its tasks carry.
  package let serviceLabels: [String: String]
  package let spec: TaskSpec
  package let endpointSpec: EndpointSpec?
  /// The service's ports with their real published numbers when the version was made.
  package let ports: [PortConfig]

  package init(
    key: Key, serviceName: String, serviceLabels: [String: String], spec: TaskSpec, endpointSpec: EndpointSpec?,
    ports: [PortConfig]
  ) {
    self.key = key
    self.serviceName = serviceName
    self.serviceLabels = serviceLabels
    self.spec = spec
    self.endpointSpec = endpointSpec
    self.ports = ports
  }

  package var ingressPorts: [PortConfig] { ports.filter(\.isIngress) }
  package var hostPorts: [PortConfig] { ports.filter { !$0.isIngress } }

  package static func == (left: TaskTemplate, right: TaskTemplate) -> Bool { left.key == right.key }
  package func hash(into hasher: inout Hasher) { hasher.combine(key) }
}
