// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import EngineClient
import HTTPWire

/// `docker run --network` and `docker network connect` with an overlay network: its place is the cluster's to give, and the engine is
/// asked in its own terms.
extension SwarmAPI {
  func createContainer(_ call: Call) async throws -> Rewritten {
    guard await isInSwarm, let body = try? JSONValue(parsing: call.request.body), body.objectValue != nil else {
      return call.unchanged
    }
    var container = ContainerRequest(body)
    var generator = SystemRandomNumberGenerator()
    let key = Identifier.make(using: &generator)
    for name in container.networks where try await isClusters(name) {
      let endpoint = container.endpoint(of: name)
      guard let place = try await attach(key, to: name, endpoint) else { continue }
      container.put(name, at: place, key: key, version: call.version)
    }
    return container.isChanged ? .forward(call.request.head, body: container.json.bytes) : call.unchanged
  }

  func connectContainer(_ call: Call, _ network: String) async throws -> Rewritten {
    guard var body = try? JSONValue(parsing: call.request.body), let reference = body["Container"]?.stringValue,
      let container = try? await engine.container(reference)
    else { return call.unchanged }
    let key = container.config.labels[Labels.attachment] ?? container.id
    let endpoint = body["EndpointConfig"] ?? [:]
    guard let place = try await attach(key, to: network, endpoint) else { return call.unchanged }
    body["EndpointConfig"] = ContainerRequest.endpoint(endpoint, at: place, version: call.version)
    return .forward(call.head(forNetwork: place.engineName), body: body.bytes)
  }

  /// The engine's name of a network of the cluster may be another.
  func disconnectNetwork(_ call: Call) async throws -> Rewritten {
    guard await isInSwarm, try await isClusters(call.id), let part = try await overlayPart(call.id) else { return call.unchanged }
    return .forward(call.head(forNetwork: part.id), body: call.request.body)
  }

  /// `nil` where the managers know no such network: the engine says so too.
  private func attach(_ key: String, to name: String, _ endpoint: JSONValue) async throws -> AttachedPlace? {
    let address = endpoint["IPAMConfig"]?["IPv4Address"]?.stringValue.flatMap { IPv4Address($0) }
    let aliases = (endpoint["Aliases"]?.arrayValue ?? []).compactMap(\.stringValue)
    do {
      return try await control.attach(.init(container: key, network: name, address: address, aliases: aliases))
    } catch let error as RPCFailure {
      switch error.code {
      case .notFound: return nil
      case .permissionDenied: throw APIError(status: 403, "Could not attach to network \(name): \(error)", cause: error)
      default:
        throw APIError(
          status: error.code.httpStatus,
          "attaching to network failed, make sure your network options are correct and check manager logs: \(error)", cause: error
        )
      }
    }
  }

  var isInSwarm: Bool {
    get async {
      switch await control.state {
      case .active, .worker: true
      case .inactive, .pending, .failed: false
      }
    }
  }

  /// Whether it may be a network of the cluster: a manager knows them, anywhere else it is one that the engine does not have as its own.
  func isClusters(_ name: String) async throws -> Bool {
    if case .active(let swarm) = await control.state {
      guard let network = ClusterNetworks(await swarm.store.read { $0 }).find(name) else { return false }
      return network.name != IngressNetwork.name
    }
    return await !isEnginesOwn(name)
  }
}

extension Call {
  /// The same request for another network.
  fileprivate func head(forNetwork name: String) -> RequestHead {
    var head = request.head
    var parts = head.target.split(separator: "/", omittingEmptySubsequences: false)
    if let place = parts.firstIndex(of: "networks"), place + 1 < parts.count { parts[place + 1] = Substring(name) }
    head.target = parts.joined(separator: "/")
    return head
  }
}
