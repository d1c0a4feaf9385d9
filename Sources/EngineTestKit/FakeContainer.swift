// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// A container of `FakeEngine`.
package struct FakeContainer: Sendable, Hashable {
  package let id: String
  package let name: String
  package let config: JSONValue
  /// As the Engine API says it.
  package internal(set) var status = "created"
  package internal(set) var health: String?
  package internal(set) var pid = 0
  package internal(set) var exitCode = 0
  package internal(set) var error = ""
  /// How often it was started: more than once would be a task run twice.
  package internal(set) var starts = 0
  /// Grace period of the stop that ended it.
  package internal(set) var stopTimeout: Int?

  package var isRunning: Bool { status == "running" }
  var image: String { config["Image"]?.stringValue ?? "" }
  var networkMode: String { config["HostConfig"]?["NetworkMode"]?.stringValue ?? "default" }

  package var labels: [String: String] {
    let members = config["Labels"]?.objectValue?.members ?? []
    return Dictionary(members.map { ($0.key, $0.value.stringValue ?? "") }) { $1 }
  }

  var fixedAddress: String? {
    config["NetworkingConfig"]?["EndpointsConfig"]?[networkMode]?["IPAMConfig"]?["IPv4Address"]?.stringValue
  }

  var hostPorts: [(port: String, host: String)] {
    (config["HostConfig"]?["PortBindings"]?.objectValue?.members ?? []).flatMap { member in
      (member.value.arrayValue ?? []).map { (member.key, $0["HostPort"]?.stringValue ?? "") }
    }
  }

  var bindSources: [String] {
    (config["HostConfig"]?["Mounts"]?.arrayValue ?? []).filter { $0["Type"]?.stringValue == "bind" }
      .compactMap { $0["Source"]?.stringValue }
  }
}

extension FakeContainer {
  var summary: JSONValue {
    let text = health.map { "Up 5 minutes (\($0))" } ?? status
    return [
      "Id": .string(id), "Names": [.string("/\(name)")], "Image": .string(image), "State": .string(status),
      "Status": .string(text), "Labels": JSONValue(labels),
      "NetworkSettings": ["Networks": [networkMode: ["NetworkID": .string(networkMode)]]],
    ]
  }

  var details: JSONValue {
    var state: JSONValue = [
      "Status": .string(status), "Running": .bool(isRunning), "Pid": JSONValue(pid), "ExitCode": JSONValue(exitCode),
      "Error": .string(error),
    ]
    if let health { state["Health"] = ["Status": .string(health)] }
    var ports = JSONValue.object(JSONObject())
    if isRunning {
      // The engine lists IPv4 and IPv6 apart, and gives a port where none was asked for.
      for (port, host) in hostPorts {
        let given = JSONValue.string(host.isEmpty ? "32768" : host)
        ports[port] = [["HostIp": "0.0.0.0", "HostPort": given], ["HostIp": "::", "HostPort": given]]
      }
    }
    return [
      "Id": .string(id), "Name": .string("/\(name)"), "State": state,
      "Config": ["Image": .string(image), "Tty": config["Tty"] ?? false, "Labels": JSONValue(labels)],
      "NetworkSettings": ["Ports": ports, "Networks": [networkMode: ["IPAddress": .string(fixedAddress ?? "172.17.0.2")]]],
    ]
  }
}
