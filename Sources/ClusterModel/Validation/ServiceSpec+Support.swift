// SPDX-License-Identifier: Apache-2.0

/// What a spec may ask of swarm and this release cannot carry out: refused, never ignored.
extension ServiceSpec {
  package func checkSupport() throws(SpecError) {
    try taskTemplate.checkSupport()
    for port in endpointSpec?.ports ?? [] { try port.checkSupport() }
    try checkNetworks()
    try checkLabels()
  }

  /// Overlay networks, or one that every engine has; the ingress network comes of itself.
  private func checkNetworks() throws(SpecError) {
    let networks = taskTemplate.networks ?? []
    for network in networks {
      if network.driverOpts?.isEmpty == false { throw .unsupported("driver options of networks") }
      let target = network.target ?? ""
      guard ["host", "none", "bridge"].contains(target) else { continue }
      if networks.count > 1 { throw .unsupported("services on the network \(target) and others") }
      if network.aliases?.isEmpty == false { throw .unsupported("aliases on the network \(target)") }
      if target != "bridge", endpointSpec?.ports?.contains(where: \.isIngress) == true {
        throw .invalidArgument(
          "EndpointSpec: port published with ingress mode can't be used with the network \(target.goQuoted)")
      }
    }
  }

  private func checkLabels() throws(SpecError) {
    _ = try Dependency.all(of: self)
    if let strategy = labels[Labels.strategy], !Labels.strategies.contains(strategy) {
      let known = Labels.strategies.joined(separator: ", ")
      throw .invalidArgument("label \(Labels.strategy): unknown strategy \(strategy.goQuoted), must be one of \(known)")
    }
    if let offload = labels[Labels.offload], !Labels.offloads.contains(offload) {
      throw .invalidArgument("label \(Labels.offload): \(offload.goQuoted) must be on or off")
    }
    if let text = labels[Labels.maxConnections], UInt32(text).map(Labels.maxConnectionsRange.contains) != true {
      let range = "\(Labels.maxConnectionsRange.lowerBound) to \(Labels.maxConnectionsRange.upperBound)"
      throw .invalidArgument("label \(Labels.maxConnections): \(text.goQuoted) is not a number from \(range)")
    }
    if let text = labels[Labels.idleTimeout] {
      guard let limit = GoDuration(text)?.duration, limit >= .seconds(1), limit <= .seconds(3_600_000) else {
        throw .invalidArgument("label \(Labels.idleTimeout): \(text.goQuoted) is not a duration from 1s to 1000h")
      }
    }
    for label in [Labels.drainTimeout, Labels.readyTimeout] {
      guard let text = labels[label] else { continue }
      guard let duration = GoDuration(text), duration.duration >= .zero else {
        throw .invalidArgument("label \(label): \(text.goQuoted) is not a duration such as 10s or 1m30s")
      }
    }
  }
}

extension TaskSpec {
  fileprivate func checkSupport() throws(SpecError) {
    if runtime == "plugin" || pluginSpec != nil { throw .unsupported("plugin services") }
    if networkAttachmentSpec != nil { throw .unsupported("network attachments") }
    guard let container = containerSpec else { return }
    for mount in container.mounts ?? [] { try mount.checkSupport() }
  }
}

extension Mount {
  fileprivate func checkSupport() throws(SpecError) {
    switch type?.lowercased() {
    case "cluster": throw .unsupported("cluster volumes (CSI mounts)")
    case "npipe": throw .unsupported("named pipe mounts")
    default: break
    }
  }
}

extension PortConfig {
  fileprivate func checkSupport() throws(SpecError) {
    guard ["tcp", "udp", "sctp"].contains(transport) else {
      throw .invalidArgument("EndpointSpec: invalid protocol \(transport.goQuoted)")
    }
    guard isIngress || publishMode == "host" else {
      throw .invalidArgument("EndpointSpec: invalid publish mode \((publishMode ?? "").goQuoted)")
    }
    guard let targetPort, (1...65_535).contains(targetPort), (publishedPort ?? 0) <= 65_535 else {
      let port = (publishedPort ?? 0) > 65_535 ? publishedPort : targetPort
      throw .invalidArgument("EndpointSpec: port \(port ?? 0) is out of range (1-65535)")
    }
    if isIngress, transport == "sctp" { throw .unsupported("\(transport) ports in ingress mode") }
  }
}
