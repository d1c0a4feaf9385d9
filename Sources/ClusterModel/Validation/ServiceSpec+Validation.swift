// SPDX-License-Identifier: Apache-2.0

/// The checks of swarm's control plane, in its order: name, task, mode, update, endpoint. What it asks of other objects of the
/// cluster (ports, names) is checked where those are at hand.
extension ServiceSpec {
  package func validate() throws(SpecError) {
    try ObjectName.check(name ?? "")
    try taskTemplate.validate(labels: labels)
    try validateMode()
    // One for rollbacks is taken, and means nothing.
    if mode.isJob, updateConfig != nil { throw .invalidArgument("Jobs may not have an update config") }
    try updateConfig?.validate()
    try endpointSpec?.validate()
  }

  /// Each replica is a task in memory and on disk from the moment on that it is asked for, and each completion of a job from the moment
  /// on that it has begun: a slip of the hand must not fill both.
  package static let maximumReplicas: UInt64 = 100_000

  private func validateMode() throws(SpecError) {
    if let replicas = mode.replicated?.replicas, replicas > UInt64(Int64.max) {
      throw .invalidArgument("Number of replicas must be non-negative")
    }
    if let replicas = mode.replicated?.replicas, replicas > Self.maximumReplicas {
      throw .invalidArgument("Number of replicas must be at most \(Self.maximumReplicas)")
    }
    try mode.replicatedJob?.validate()
    if mode.replicated == nil, mode.global == nil, !mode.isJob { throw .invalidArgument("Unrecognized service mode") }
  }
}

extension ServiceMode.ReplicatedJob {
  fileprivate func validate() throws(SpecError) {
    let (concurrent, total) = (maxConcurrent ?? 0, totalCompletions ?? 0)
    if concurrent > UInt64(Int64.max) { throw .invalidArgument("Maximum concurrent jobs must not be negative") }
    if total > UInt64(Int64.max) { throw .invalidArgument("Total completed jobs must not be negative") }
    if total > ServiceSpec.maximumReplicas {
      throw .invalidArgument("Total completed jobs must be at most \(ServiceSpec.maximumReplicas)")
    }
  }
}

/// Names of services, networks and clusters.
package enum ObjectName {
  package static func check(_ name: String) throws(SpecError) {
    if name.isEmpty { throw .invalidArgument("meta: name must be provided") }
    guard isDNSName(name) else { throw .invalidArgument("name must be valid as a DNS name component") }
    guard name.utf8.count <= 63 else { throw .invalidArgument("name must be 63 characters or fewer") }
  }

  /// `^[a-zA-Z0-9](?:[-_]*[A-Za-z0-9]+)*$`
  private static func isDNSName(_ name: String) -> Bool {
    guard let first = name.utf8.first, let last = name.utf8.last, isAlphanumeric(first), isAlphanumeric(last) else {
      return false
    }
    return name.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
  }
}

extension UpdateConfig {
  fileprivate func validate() throws(SpecError) {
    if (delay ?? 0) < 0 { throw .invalidArgument("TaskSpec: update-delay cannot be negative") }
    if (monitor ?? 0) < 0 { throw .invalidArgument("TaskSpec: update-monitor cannot be negative") }
    guard (0...1).contains(maxFailureRatio) else {
      throw .invalidArgument("TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1")
    }
  }
}

extension EndpointSpec {
  fileprivate func validate() throws(SpecError) {
    var published: Set<String> = []
    for port in ports ?? [] {
      if mode == "dnsrr", port.isIngress {
        throw .invalidArgument("EndpointSpec: port published with ingress mode can't be used with dnsrr mode")
      }
      guard let number = port.publishedPort, number > 0 else { continue }
      guard published.insert("\(port.transport)/\(number)").inserted else {
        throw .invalidArgument("EndpointSpec: duplicate published ports provided")
      }
    }
  }
}
