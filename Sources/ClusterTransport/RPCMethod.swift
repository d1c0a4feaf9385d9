// SPDX-License-Identifier: Apache-2.0

package import GRPCCore
package import Identity

/// Every call between hosts. One that is not here is not served.
package enum RPCMethod: String, CaseIterable, Sendable {
  case rootCertificate = "RootCertificate"
  case issueCertificate = "IssueCertificate"
  case register = "Register"
  case heartbeat = "Heartbeat"
  case assignments = "Assignments"
  case updateStatuses = "UpdateStatuses"
  case reportTraffic = "ReportTraffic"
  case attach = "Attach"
  case reportContainers = "ReportContainers"
  case goodbye = "Goodbye"
  case logRequests = "LogRequests"
  case publishLog = "PublishLog"

  /// Who may make the call at all. A caller with a certificate names its node with each call, which must be the certificate's own.
  package enum Access: Sendable {
    /// Hosts that have no certificate of the cluster yet, too.
    case anybody
    /// Holders of a certificate of one of these roles, for their own node.
    case ownNode(Set<NodeIdentity.Role>)
  }

  /// The one table of it.
  package var access: Access {
    switch self {
    case .rootCertificate, .issueCertificate: .anybody
    case .register, .heartbeat, .assignments, .updateStatuses, .reportTraffic, .attach, .reportContainers, .goodbye, .logRequests,
      .publishLog:
      .ownNode([.manager, .worker])
    }
  }

  package var descriptor: MethodDescriptor { MethodDescriptor(fullyQualifiedService: service, method: rawValue) }

  init?(_ descriptor: MethodDescriptor) {
    guard let method = RPCMethod(rawValue: descriptor.method), method.descriptor == descriptor else { return nil }
    self = method
  }

  private var service: String {
    switch self {
    case .rootCertificate, .issueCertificate: "skep.v1.Authority"
    case .register, .heartbeat, .assignments, .updateStatuses, .reportTraffic, .attach, .reportContainers, .goodbye:
      "skep.v1.Dispatcher"
    case .logRequests, .publishLog: "skep.v1.Logs"
    }
  }
}

/// What goes beside a call's message.
enum RPCHeader {
  static let node = "skep-node"
  static let session = "skep-session"
  static let log = "skep-log"
}
