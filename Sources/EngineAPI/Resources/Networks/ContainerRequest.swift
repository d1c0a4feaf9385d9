// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC

/// The body of `POST /containers/create`, as far as it is about networks.
struct ContainerRequest {
  private(set) var json: JSONValue
  private(set) var isChanged = false

  init(_ json: JSONValue) { self.json = json }

  /// Those that it names, but for what every engine has.
  var networks: [String] {
    let mode = json["HostConfig"]?["NetworkMode"]?.stringValue ?? ""
    let others = json["NetworkingConfig"]?["EndpointsConfig"]?.objectValue?.members.map(\.key) ?? []
    let usual = ["", "default", "bridge", "host", "none", "nat"]
    return ([mode] + others.filter { $0 != mode }).filter { !usual.contains($0) && !$0.hasPrefix("container:") }
  }

  /// What is asked for on a network.
  func endpoint(of name: String) -> JSONValue {
    let found = json["NetworkingConfig"]?["EndpointsConfig"]?[name] ?? [:]
    return found.isNull ? [:] : found
  }

  mutating func put(_ name: String, at place: AttachedPlace, key: String, version: APIVersion) {
    let endpoint = Self.endpoint(endpoint(of: name), at: place, version: version)
    var host = json["HostConfig"] ?? [:]
    if host["NetworkMode"]?.stringValue == name { host["NetworkMode"] = .string(place.engineName) }
    var labels = json["Labels"].flatMap { $0.isNull ? nil : $0 } ?? [:]
    labels[Labels.attachment] = .string(key)
    if !isChanged {
      let own = (host["Dns"]?.arrayValue ?? []).compactMap(\.stringValue)
      if !own.isEmpty { labels[Labels.nameservers] = .string(own.joined(separator: " ")) }
      host["Dns"] = [.string("\(place.gateway)")]
    }
    json["HostConfig"] = host
    json["Labels"] = labels
    rename(name, to: place.engineName, endpoint)
    isChanged = true
  }

  private mutating func rename(_ name: String, to engineName: String, _ endpoint: JSONValue) {
    var networking = json["NetworkingConfig"].flatMap { $0.isNull ? nil : $0 } ?? [:]
    var endpoints = JSONObject()
    for member in networking["EndpointsConfig"]?.objectValue?.members ?? [] where member.key != name {
      endpoints.append(member.key, member.value)
    }
    endpoints.append(engineName, endpoint)
    networking["EndpointsConfig"] = .object(endpoints)
    json["NetworkingConfig"] = networking
  }

  /// With the address that was given. Aliases are answered by the cluster's names, for they mean the same on every host.
  static func endpoint(_ asked: JSONValue, at place: AttachedPlace, version: APIVersion) -> JSONValue {
    var endpoint = asked.isNull ? [:] : asked
    endpoint["IPAMConfig"] = ["IPv4Address": .string("\(place.address)")]
    endpoint["Aliases"] = nil
    if version >= APIVersion(1, 44) { endpoint["MacAddress"] = .string(place.address.containerHardwareAddress) }
    return endpoint
  }
}
