// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// The body of `POST /networks/create` as far as it says what an overlay network is to be.
struct NetworkRequest: Decodable {
  struct IPAM: Decodable {
    struct Config: Decodable {
      var subnet: String?
      var ipRange: String?
      var gateway: String?
      var auxiliaryAddresses: [String: String]?
    }
    var driver: String?
    var options: [String: String]?
    var config: [Config]?
  }
  struct Reference: Decodable { var network: String? }

  var name: String?
  var driver: String?
  var scope: String?
  var `internal`: Bool?
  var attachable: Bool?
  var ingress: Bool?
  var enableIPv4: Bool?
  var enableIPv6: Bool?
  var ipam: IPAM?
  var configOnly: Bool?
  var configFrom: Reference?
  var options: [String: String]?
  var labels: [String: String]?

  var isOverlay: Bool { driver == "overlay" }
  /// The cluster's to make, not the engine's.
  var isClusterWide: Bool { isOverlay || scope == "swarm" }

  /// What is asked for; throws for what this release has not.
  func spec(ingressID: String) throws -> NetworkSpec {
    if ingress == true { throw refusalOfIngress(ingressID) }
    if configOnly == true || configFrom?.network?.isEmpty == false { throw SpecError.unsupported("configuration networks") }
    if !isOverlay { throw SpecError.unsupported("swarm-scoped networks of driver \(driver ?? "")") }
    if enableIPv4 == false { throw APIError.badRequest("IPv4 cannot be disabled in a Swarm scoped network") }
    if enableIPv6 == true { throw SpecError.unsupported("IPv6 overlay networks") }
    if options?["encrypted"] != nil { throw SpecError.unsupported("encrypted overlay networks") }
    if labels?["com.docker.swarm.predefined"] != nil {
      throw APIError.rpc(
        .permissionDenied,
        "label com.docker.swarm.predefined is for internally created predefined networks and cannot be applied by users")
    }
    return NetworkSpec(
      name: name ?? "", labels: labels ?? [:], options: options ?? [:], isInternal: `internal` ?? false,
      isAttachable: attachable ?? false, pool: try pool())
  }

  private func refusalOfIngress(_ id: String) -> any Error {
    if attachable == true { return SpecError.invalidArgument("ingress network cannot be attachable") }
    if !isOverlay { return APIError(status: 501, "ingress networks of another driver than overlay are not supported") }
    return APIError.rpc(.alreadyExists, "ingress network (\(id)) is already present")
  }

  private func pool() throws -> NetworkSpec.Pool {
    if let driver = ipam?.driver, !["", "default"].contains(driver) {
      throw SpecError.unsupported("address drivers such as \(driver)")
    }
    let configs = ipam?.config ?? []
    if configs.count > 1 { throw SpecError.unsupported("overlay networks of more than one subnet") }
    guard let config = configs.first else { return NetworkSpec.Pool() }
    if config.auxiliaryAddresses?.isEmpty == false { throw SpecError.unsupported("auxiliary addresses of overlay networks") }
    return NetworkSpec.Pool(subnet: config.subnet, range: config.ipRange, gateway: config.gateway)
  }
}
