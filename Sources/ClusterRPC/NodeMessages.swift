// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// What nodes and managers say to each other, as it goes over the wire: JSON by the rules of the store's records. What a release does not
/// know it ignores, so two releases understand each other as far as both go.
package enum NodeMessage {
  /// Nothing needs to be said.
  package struct Empty: Codable, Sendable, Hashable {
    package init() {}
  }

  /// The cluster's root certificate, as anybody may have it.
  package struct Root: Codable, Sendable, Hashable {
    package var certificate: String
    /// The manager's wall clock, so that a host whose own is wrong can say so.
    package var time: Timestamp

    package init(certificate: String, time: Timestamp) {
      self.certificate = certificate
      self.time = time
    }
  }

  /// A host asks to become a node, with a join token; or a node asks for its next certificate, without one.
  package struct CertificateRequest: Codable, Sendable, Hashable {
    /// PEM.
    package var signingRequest: String
    package var token: String?
    /// Of a new node: `active`, `pause` or `drain`.
    package var availability: String?

    package init(signingRequest: String, token: String? = nil, availability: String? = nil) {
      self.signingRequest = signingRequest
      self.token = token
      self.availability = availability
    }
  }

  package struct CertificateReply: Codable, Sendable, Hashable {
    /// PEM; says the node's id and role.
    package var certificate: String
    /// PEM of the roots to believe from now on.
    package var trust: String?
    /// PEM: certifies that one of them which may be new to the node.
    package var crossSigned: String?

    package init(certificate: String, trust: String? = nil, crossSigned: String? = nil) {
      self.certificate = certificate
      self.trust = trust
      self.crossSigned = crossSigned
    }
  }

  package struct Registration: Codable, Sendable, Hashable {
    package var description: NodeDescription
    package var statuses: [String: StatusPart]
    /// The session that the node has ended itself, to show another certificate: that is no sign of trouble.
    package var replaces: String?
    /// Where the node wants its peers' traffic; `nil` for where the managers see it.
    package var dataPathAddr: String?

    package init(
      description: NodeDescription, statuses: [String: TaskStatus], replaces: String? = nil, dataPathAddr: String? = nil
    ) {
      self.description = description
      self.statuses = statuses.mapValues(StatusPart.init)
      self.replaces = replaces
      self.dataPathAddr = dataPathAddr
    }
  }

  package struct Manager: Codable, Sendable, Hashable {
    package var nodeID: String
    /// `host:2377`.
    package var addr: String
    package init(nodeID: String, addr: String) {
      self.nodeID = nodeID
      self.addr = addr
    }
  }

  package struct Session: Codable, Sendable, Hashable {
    /// To be named with everything that belongs to it.
    package var id: String
    package var managers: [Manager]
    /// Between two heartbeats.
    package var heartbeatPeriod: Int64

    package init(id: String, managers: [Manager], heartbeatPeriod: Duration) {
      self.id = id
      self.managers = managers
      self.heartbeatPeriod = heartbeatPeriod.nanoseconds
    }
  }

  /// The answer to a heartbeat.
  package struct Beat: Codable, Sendable, Hashable {
    package var heartbeatPeriod: Int64
    /// `Cluster.authorityMark`: a node that has another asks for a certificate.
    package var authority: String?

    package init(heartbeatPeriod: Duration, authority: String? = nil) {
      self.heartbeatPeriod = heartbeatPeriod.nanoseconds
      self.authority = authority
    }
  }

  package struct Acknowledgement: Codable, Sendable, Hashable {
    package var sequence: Int64
    package init(sequence: Int64) { self.sequence = sequence }
  }

  package struct Statuses: Codable, Sendable, Hashable {
    package var tasks: [String: StatusPart]
    package init(_ statuses: [String: TaskStatus]) { tasks = statuses.mapValues(StatusPart.init) }
  }

  package struct Traffic: Codable, Sendable, Hashable {
    package var generation: Int64
    package var openConnections: [String: Int]
    /// By port.
    package var failedPorts: [String: String]

    package init(_ report: TrafficReport) {
      generation = Int64(clamping: report.generation)
      openConnections = report.openConnections
      failedPorts = Dictionary(report.failedPorts.map { ("\($0.key)", $0.value) }) { first, _ in first }
    }

    package var report: TrafficReport {
      let ports = failedPorts.compactMap { port, reason in UInt16(port).map { ($0, reason) } }
      return TrafficReport(
        generation: UInt64(clamping: generation), openConnections: openConnections,
        failedPorts: Dictionary(ports) { first, _ in first })
    }
  }

  /// A goodbye: for good, or for at most this time.
  package struct Goodbye: Codable, Sendable, Hashable {
    /// `nil` when the node leaves the cluster.
    package var lease: Int64?
    package init(lease: Duration?) { self.lease = lease?.nanoseconds }
  }
}
