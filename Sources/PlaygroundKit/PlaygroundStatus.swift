// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What `skep playground status --json` prints.
package struct PlaygroundStatus: Codable, Sendable, Equatable {
  package struct Process: Codable, Sendable, Equatable {
    package var name: String
    package var alive: Bool
    package var pid: Int32?
  }

  package struct Host: Codable, Sendable, Equatable {
    package var name: String
    package var address: String
    package var namespace: String
    /// nil without skepd.
    package var api: String?
    package var engine: String
    package var alive: Bool
    package var processes: [Process]
  }

  package struct Client: Codable, Sendable, Equatable {
    package var address: String
    package var namespace: String
    package var alive: Bool
  }

  package var directory: String
  package var hosts: [Host]
  package var client: Client

  /// Whether every host, every process and the client are there.
  package var allAlive: Bool { client.alive && hosts.allSatisfy { $0.alive && $0.processes.allSatisfy(\.alive) } }

  package func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  /// A few lines for people.
  package func table() -> String {
    let rows = hosts.map { host in
      let processes = host.processes.map { "\($0.name) \($0.pid.map(String.init) ?? "dead")" }.joined(separator: ", ")
      return "\(host.name)  \(host.address)  \(host.alive ? processes : "down")\n    docker -H \(host.api ?? host.engine)"
    }
    return (rows + ["client  \(client.address)  \(client.alive ? "up" : "down")"]).joined(separator: "\n")
  }
}

extension Playground {
  package func status() -> PlaygroundStatus {
    let table = ProcessTable.now()
    return PlaygroundStatus(
      directory: layout.directory, hosts: hosts.map { $0.status(table) },
      client: .init(
        address: client.address, namespace: layout.clientNamespace,
        alive: Traces.namespaces(layout).contains(layout.clientNamespace)))
  }
}

extension Host {
  func status(_ table: ProcessTable) -> PlaygroundStatus.Host {
    let all = plan.configuration.daemons == .all
    let hostInit = table.hostInit(plan.initName)
    let running = hostInit.map(table.onHost) ?? []
    let parts =
      [("dockerd", "engine"), ("containerd", "containerd")] + (all ? [("skepd", "skepd"), ("skep-relay", "relay")] : [])
    let processes = parts.map { executable, name in
      let pid = running.first { $0.executable == executable }?.pid
      return PlaygroundStatus.Process(name: name, alive: pid != nil, pid: pid)
    }
    return PlaygroundStatus.Host(
      name: name, address: address, namespace: plan.layout.namespace(of: name), api: all ? "unix://\(apiSocket)" : nil,
      engine: "unix://\(engineSocket)", alive: hostInit != nil,
      processes: [.init(name: "init", alive: hostInit != nil, pid: hostInit?.pid)] + processes)
  }
}
