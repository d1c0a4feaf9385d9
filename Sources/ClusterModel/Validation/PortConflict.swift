// SPDX-License-Identifier: Apache-2.0

extension Service {
  /// Why this service's ports and `other`'s cannot be published at once; `nil` when they can. Two services may publish one port on
  /// the hosts, because their tasks may be on different ones; a port in ingress mode is everybody's.
  package func portConflict(with ports: [PortConfig]) -> SpecError? {
    let own = (endpoint?.ports ?? []) + (spec.endpointSpec?.ports ?? [])
    for port in ports where (port.publishedPort ?? 0) > 0 {
      for taken in own where taken.publishedPort == port.publishedPort && taken.transport == port.transport {
        guard taken.isIngress || port.isIngress else { continue }
        let how = taken.isIngress ? "an ingress port" : "a host-published port"
        return .invalidArgument("port '\(port.publishedPort ?? 0)' is already in use by service '\(name)' (\(id)) as \(how)")
      }
    }
    return nil
  }
}
