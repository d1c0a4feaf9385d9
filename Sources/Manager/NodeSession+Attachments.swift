// SPDX-License-Identifier: Apache-2.0

import ClusterModel
package import ClusterRPC
import Orchestration

/// Containers of the node that are no tasks.
extension NodeSession {
  package func attach(_ request: NodeMessage.AttachRequest) async throws -> NodeMessage.AttachReply {
    let (nodeID, wall) = (nodeID, now().wall)
    do {
      let attachment = try await store.transaction { transaction in
        try Attachments.attach(
          request.container, to: request.network, node: nodeID, address: request.address, aliases: request.aliases ?? [],
          now: wall, in: &transaction)
      }
      guard let network = await store.read({ OverlayNetworks.network(attachment.networkID, in: $0) }) else {
        throw RPCFailure(.notFound, "network \(request.network) not found")
      }
      return NodeMessage.AttachReply(network: network, address: attachment.address)
    } catch let error as SpecError {
      throw RPCFailure(error)
    }
  }

  package func report(containers: NodeMessage.AttachedContainers) async throws {
    let (nodeID, wall) = (nodeID, now().wall)
    try await store.batch { transaction in
      Attachments.report(containers.names, networks: containers.networks, of: nodeID, now: wall, in: &transaction)
    }
  }
}

extension RPCFailure {
  /// Of an error of the control plane, whose message begins with its code.
  fileprivate init(_ error: SpecError) {
    let code = RPCCode.allCases.first { error.message.hasPrefix("rpc error: code = \($0.rawValue) ") } ?? .unknown
    let text = error.message.split(separator: " desc = ", maxSplits: 1).last.map { String($0) } ?? error.message
    self.init(code, text)
  }
}
