// SPDX-License-Identifier: Apache-2.0
import Foundation

/// One host of a playground. It's a handle: whether anything of the host is alive is looked up at each call.
package struct Host: Sendable {
  package enum Part: String, Sendable, CaseIterable {
    case skepd, relay, engine
    /// The whole host: killing it is a power cut, after which /run, network interfaces and firewall rules are gone, files are not.
    case all
  }

  /// Which socket the docker CLI talks to.
  package enum Via: Sendable { case skepd, engine }

  package let plan: HostPlan
  let network: NetworkPlan

  package var name: String { plan.name }
  package var address: String { plan.address }
  package var apiSocket: String { plan.apiSocket }
  package var engineSocket: String { plan.engineSocket }
  /// Holds `host.log`, `engine.log`, `skepd.log`.
  package var directory: String { plan.directory }
  /// Where its programs are, and `skep`.
  package var binaries: String { plan.binaries }

  /// Runs the docker CLI against this host: against skepd, or the engine where there is no skepd or it is asked for.
  package func docker(_ arguments: [String], via: Via? = nil, input: String = "") async throws -> CommandResult {
    try await dockerCommand(arguments, via: via).run(input: input)
  }

  /// As `docker`, but a status other than 0 is an error that carries what docker said.
  @discardableResult
  package func checkedDocker(_ arguments: [String], via: Via? = nil) async throws -> CommandResult {
    try await dockerCommand(arguments, via: via).check()
  }

  /// The docker CLI without the user's own contexts, proxies and credentials.
  package func dockerCommand(_ arguments: [String], via: Via? = nil) -> Command {
    let socket = (via ?? (plan.configuration.daemons == .all ? .skepd : .engine)) == .skepd ? apiSocket : engineSocket
    return Command(
      "docker", ["--host", "unix://\(socket)"] + arguments,
      environment: [
        "DOCKER_CONFIG": plan.layout.clientConfiguration, "DOCKER_HOST": nil, "DOCKER_CONTEXT": nil, "DOCKER_TLS_VERIFY": nil,
        "DOCKER_API_VERSION": nil,
      ])
  }

  /// Runs a program in the host's network, process and mount namespaces: process ids are those that its engine reports, and the
  /// files those of the machine except for /run. Cancelling the task kills the program.
  package func exec(_ argv: [String], input: String = "") async throws -> CommandResult {
    try await execCommand(argv).run(input: input)
  }

  package func execCommand(_ argv: [String]) throws -> Command {
    guard let hostInit = ProcessTable.now().hostInit(plan.initName) else {
      throw PlaygroundError(.notUp, "host \(name) is down; start it with `skep playground start \(name)`")
    }
    return plan.enter(hostInit.pid, argv)
  }

  /// The machine's process id of a part (`all`: the host's init), or nil while it isn't alive.
  package func pid(of part: Part) -> Int32? { pids(of: part).first }

  /// During an upgrade there are two relays.
  package func pids(of part: Part) -> [Int32] {
    let table = ProcessTable.now()
    guard let hostInit = table.hostInit(plan.initName) else { return [] }
    guard let executable = part.executable else { return [hostInit.pid] }
    return table.onHost(hostInit).filter { $0.executable == executable }.map(\.pid)
  }
}

extension Host.Part {
  /// The base name of what runs it; nil for the whole host.
  var executable: String? {
    switch self {
    case .skepd: "skepd"
    case .relay: "skep-relay"
    case .engine: "dockerd"
    case .all: nil
    }
  }
}

/// A machine outside the cluster, for requests that come from elsewhere: a network namespace and nothing else.
package struct Client: Sendable {
  package let layout: Layout
  package var address: String { layout.clientAddress }

  package func exec(_ argv: [String], input: String = "") async throws -> CommandResult {
    try await execCommand(argv).run(input: input)
  }

  package func execCommand(_ argv: [String]) -> Command {
    Command("nsenter", ["--net=/run/netns/\(layout.clientNamespace)", "--"] + argv)
  }
}
