// SPDX-License-Identifier: Apache-2.0

import SwiftASN1
import X509

/// Who a certificate says its holder is: organisation, common name and organisational unit, as swarm has them.
package struct NodeIdentity: Sendable, Hashable {
  /// By its organisational unit.
  package enum Role: String, Sendable, Hashable, CaseIterable {
    case manager = "swarm-manager"
    case worker = "swarm-worker"
  }

  package var clusterID: String
  package var nodeID: String
  package var role: Role

  package init(clusterID: String, nodeID: String, role: Role) {
    self.clusterID = clusterID
    self.nodeID = nodeID
    self.role = role
  }

  var subject: DistinguishedName {
    get throws {
      try DistinguishedName {
        OrganizationName(clusterID)
        OrganizationalUnitName(role.rawValue)
        CommonName(nodeID)
      }
    }
  }

  /// `nil` when a part is missing or there twice.
  init?(_ subject: DistinguishedName) {
    let attributes = subject.flatMap { $0 }
    func only(_ type: ASN1ObjectIdentifier) -> String? {
      let found = attributes.filter { $0.type == type }
      return found.count == 1 ? found.first.flatMap { String($0.value) } : nil
    }
    guard attributes.count == 3, let cluster = only(.RDNAttributeType.organizationName),
      let unit = only(.RDNAttributeType.organizationalUnitName), let node = only(.RDNAttributeType.commonName),
      let role = Role(rawValue: unit)
    else { return nil }
    self.init(clusterID: cluster, nodeID: node, role: role)
  }
}
