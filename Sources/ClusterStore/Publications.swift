// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// A number on every host or on some, in ingress or host mode.
package struct PublishedPort: Sendable, Hashable {
  package let transport: String
  package let number: UInt32

  package init(transport: String, number: UInt32) {
    self.transport = transport
    self.number = number
  }

  /// `nil` when the number is left open.
  package init?(_ port: PortConfig) {
    guard let number = port.publishedPort, number > 0 else { return nil }
    self.init(transport: port.transport, number: number)
  }
}

/// Which services have a published port, asked for or given, and which have an address: to find a free one without a look at them all.
struct Publications: Sendable {
  private var ports: [PublishedPort: Set<String>] = [:]
  private var addresses: [IPv4Address: Set<String>] = [:]

  func services(with port: PublishedPort) -> Set<String> { ports[port] ?? [] }
  func services(at address: IPv4Address) -> Set<String> { addresses[address] ?? [] }

  mutating func insert(_ service: Service) {
    for port in service.publishedPorts { ports[port, default: []].insert(service.id) }
    if let address = service.endpoint?.virtualIP { addresses[address, default: []].insert(service.id) }
  }

  mutating func remove(_ service: Service) {
    for port in service.publishedPorts {
      ports[port]?.remove(service.id)
      if ports[port]?.isEmpty == true { ports[port] = nil }
    }
    guard let address = service.endpoint?.virtualIP else { return }
    addresses[address]?.remove(service.id)
    if addresses[address]?.isEmpty == true { addresses[address] = nil }
  }
}

extension Service {
  fileprivate var publishedPorts: Set<PublishedPort> {
    Set(((endpoint?.ports ?? []) + (spec.endpointSpec?.ports ?? [])).compactMap(PublishedPort.init))
  }
}
