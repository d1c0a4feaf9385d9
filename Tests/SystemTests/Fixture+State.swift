// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

/// A task as the API tells it.
struct APITask: Decodable, Sendable {
  struct Status: Decodable, Sendable {
    struct Container: Decodable, Sendable {
      var id: String?
      enum CodingKeys: String, CodingKey { case id = "ContainerID" }
    }
    var state: String
    var err: String?
    var container: Container?
    enum CodingKeys: String, CodingKey { case state = "State", err = "Err", container = "ContainerStatus" }
  }
  var id: String
  var serviceID: String
  var slot: Int?
  var desiredState: String
  var status: Status
  enum CodingKeys: String, CodingKey {
    case id = "ID", serviceID = "ServiceID", slot = "Slot", desiredState = "DesiredState", status = "Status"
  }

  var isRunning: Bool { status.state == "running" && desiredState == "running" }
  var container: String { status.container?.id ?? "" }
}

/// A container as the engine itself lists it.
struct EngineContainer: Decodable, Sendable {
  var id: String
  var state: String
  var labels: [String: String]
  enum CodingKeys: String, CodingKey { case id = "Id", state = "State", labels = "Labels" }

  var task: String { labels["com.docker.swarm.task.id"] ?? "" }
  var service: String { labels["com.docker.swarm.service.name"] ?? "" }
}

/// The answer to a plain HTTP request over a unix socket.
struct APIAnswer: Sendable {
  /// 0 when there was no answer: what was asked for may have happened or not.
  var status: Int
  var body: String

  func decoded<T: Decodable>(_ type: T.Type = T.self) throws -> T { try JSONDecoder().decode(type, from: Data(body.utf8)) }
}

extension Fixture {
  func api(_ method: String, _ path: String, body: String? = nil, via: PlaygroundKit.Host.Via = .skepd) async throws -> APIAnswer
  {
    let socket = via == .skepd ? host.apiSocket : host.engineSocket
    let result = try await Command(
      "curl",
      ["--silent", "--max-time", "30", "--unix-socket", socket, "--request", method, "--write-out", "\n%{http_code}"]
        + (body.map { ["--header", "Content-Type: application/json", "--data-binary", $0] } ?? [])
        + ["http://docker/v1.41\(path)"]
    ).run()
    let lines = result.stdout.split(separator: "\n", omittingEmptySubsequences: false)
    return APIAnswer(status: Int(lines.last ?? "") ?? 0, body: lines.dropLast().joined(separator: "\n"))
  }

  /// All tasks, or those of a service, ended ones included.
  func tasks(_ service: String? = nil) async throws -> [APITask] {
    let all: [APITask] = try await api("GET", "/tasks").decoded()
    guard let service else { return all }
    struct Named: Decodable {
      enum CodingKeys: String, CodingKey { case id = "ID" }
      var id: String
    }
    let answer = try await api("GET", "/services/\(service)")
    guard answer.status == 200 else { return [] }
    let id = try answer.decoded(Named.self).id
    return all.filter { $0.serviceID == id }
  }

  /// The containers of tasks, as the engine has them.
  func containers(_ service: String? = nil) async throws -> [EngineContainer] {
    let all: [EngineContainer] = try await api("GET", "/containers/json?all=1", via: .engine).decoded()
    return all.filter { $0.labels["skep.cluster"] != nil && (service == nil || $0.service == service) }
  }

  /// The containers that run, by id.
  func running(_ service: String? = nil) async throws -> Set<String> {
    Set(try await containers(service).filter { $0.state == "running" }.map(\.id))
  }

  /// Where a manager listens for other nodes.
  var managerPort: Int { 2377 }

  /// Ports on which something listens in the host's network, the engine's own resolvers aside.
  func listeningPorts() async throws -> Set<Int> {
    let result = try await host.exec(["ss", "--tcp", "--listening", "--numeric", "--no-header"])
    return Set(
      result.lines.compactMap { line in
        let fields = line.split(separator: " ")
        return fields.count > 3 ? fields[3].split(separator: ":").last.flatMap { Int($0) } : nil
      })
  }

  /// Waits until exactly `count` tasks of the service run, all in the relay's table, and none is on its way.
  func settled(_ service: String, _ count: Int, at location: SourceLocation = #_sourceLocation) async throws {
    try await wait("\(service) has \(count) running tasks and no other", .seconds(40), at: location) {
      let tasks = try await tasks(service)
      let containers = try await containers(service).filter { $0.state == "running" }
      let running = tasks.filter(\.isRunning)
      let unended = tasks.filter {
        !["complete", "failed", "shutdown", "rejected", "orphaned", "remove"].contains($0.status.state)
      }
      return running.count == count && unended.count == count && Set(containers.map(\.id)) == Set(running.map(\.container))
    }
  }

  /// Waits until as many different containers answer.
  func answering(_ count: Int, port: Int = 8080, at location: SourceLocation = #_sourceLocation) async throws {
    try await wait("\(count) containers answer on port \(port)", at: location) {
      let report = try await client.requests(url(port: port), count: count * 4, parallel: 1)
      return report.failures.isEmpty && report.answers.count == count
    }
  }
}
