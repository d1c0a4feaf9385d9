// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import DataPlane
import Glibc

/// Programs a running skep-relay with one listener, by skepd's own code: the benchmark speaks whatever version the relay does.
@main
struct Program {
  static let usage = "usage: relay-program RUN-DIRECTORY PORT [--keep-sources] ADDRESS:PORT..."

  static func main() async throws {
    var arguments = Array(CommandLine.arguments.dropFirst())
    let keeps = arguments.contains("--keep-sources")
    arguments.removeAll { $0 == "--keep-sources" }
    guard arguments.count > 2, let port = UInt16(arguments[1]) else { fail(usage) }
    let endpoints = arguments.dropFirst(2).compactMap(endpoint)
    guard endpoints.count == arguments.count - 2 else { fail(usage) }
    try await program(arguments[0], Listener(id: "benchmark", port: port, endpoints: endpoints), keepsSources: keeps)
  }

  private static func program(_ directory: String, _ listener: Listener, keepsSources: Bool) async throws {
    let supervisor = try RelaySupervisor(executable: nil, runDirectory: directory)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await supervisor.run() }
      try await supervisor.keepSources(SourcePolicy(keeps: keepsSources, inside: []))
      let result = try await supervisor.program(EndpointTable(generation: 1, listeners: [listener]))
      if let failure = result.failures.first { fail("\(failure)") }
      // The relay goes on by itself.
      group.cancelAll()
    }
  }

  private static func endpoint(_ text: String) -> Endpoint? {
    let parts = text.split(separator: ":")
    guard parts.count == 2, let address = IPv4Address(String(parts[0])), let port = UInt16(parts[1]) else { return nil }
    return Endpoint(id: text, address: address, port: port)
  }

  private static func fail(_ text: String) -> Never {
    write(STDERR_FILENO, text + "\n", text.utf8.count + 1)
    exit(EX_USAGE)
  }
}
