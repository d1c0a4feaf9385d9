// SPDX-License-Identifier: Apache-2.0

import ClusterModel

extension TaskController {
  /// How long a task that accepts on one of its ports is waited for on the others: one may be published and never used.
  static let otherPorts = Duration.seconds(5)

  /// Without a health check a task runs from its start on; it is ready once its published ports accept.
  mutating func serve(_ now: Now) {
    guard let target = task.readinessTarget else { return transition(.running, "started", isReady: true, now) }
    // A container known to be ready stays so when the agent restarts: a probe that fails once must not cost traffic.
    let wasReady = status.isReady && status.containerID == container?.id
    transition(.running, "started", isReady: wasReady, now)
    guard !wasReady, !probing, task.desiredState < .shutdown else { return }
    probing = true
    let patience = min(Self.otherPorts, task.readyTimeout.duration / 2)
    actions.append(.probe(target.address, ports: target.ports, patience: patience))
    // A job is at work whether or not it ever answers on a port.
    guard task.jobIteration == nil else { return }
    let deadline = now.uptime + task.readyTimeout.duration
    readyDeadline = deadline
    actions.append(.wake(at: deadline))
  }

  mutating func accepting() {
    guard probing, doom == nil else { return }
    stopProbing()
    becomeReady(true)
  }

  mutating func checkDeadline(_ now: Now) {
    guard probing, let readyDeadline, now.uptime >= readyDeadline, let target = task.readinessTarget else { return }
    let ports = target.ports.map(String.init).joined(separator: ", ")
    let noun = target.ports.count == 1 ? "port" : "ports"
    condemn("task: not ready within \(task.readyTimeout): nothing accepted connections on \(noun) \(ports)")
  }
}

extension ClusterTask {
  static let standardReadyTimeout = GoDuration(nanoseconds: 60_000_000_000)

  var readyTimeout: GoDuration {
    let wanted = template.serviceLabels[Labels.readyTimeout].flatMap { GoDuration($0) }
    return wanted.flatMap { $0.nanoseconds > 0 ? $0 : nil } ?? Self.standardReadyTimeout
  }

  /// Where a task without health check shows that it is ready; `nil` when it has no TCP ingress port.
  var readinessTarget: (address: IPv4Address, ports: [UInt16])? {
    guard usesIngress, let address = ingressAddress else { return nil }
    let tcp = template.ingressPorts.filter { $0.transport == "tcp" }
    let ports = Set(tcp.compactMap { $0.targetPort.flatMap(UInt16.init(exactly:)) }).sorted()
    return ports.isEmpty ? nil : (address, ports)
  }

  /// On the ingress network: publishes ingress ports, and is not put on a network that excludes others.
  var usesIngress: Bool { !template.ingressPorts.isEmpty && !["host", "none"].contains(networkMode) }

  /// The overlay networks that the spec asks for, by id.
  var overlayTargets: Set<String> {
    Set((template.spec.networks ?? []).compactMap(\.target)).subtracting(["host", "none", "bridge"])
  }

  /// The one predefined network the spec asks for; `default` when it asks for none.
  var networkMode: String {
    template.spec.networks?.compactMap(\.target).first { ["host", "none", "bridge"].contains($0) } ?? "default"
  }
}
