// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import ClusterModel
import DataPlane
import EngineAPI
import EngineClient
import Foundation
import Logging
import ServiceManager

/// The daemon: beside the Docker Engine of each host.
@main
struct Skepd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skepd",
    abstract: "High availability and load balancing for Docker hosts.",
    discussion: """
      Every option can also be given as an environment variable (SKEP_STATE_DIR for --state-dir) or as a key of the config file \
      ("state-dir"). An option beats the environment, which beats the file.
      """,
    version: Release.version)

  @Option(help: "The local Docker Engine's socket. (default: unix:///var/run/docker.sock)") var engine: String?
  @Option(help: "The socket for Docker clients; several with commas. (default: unix:///run/skep/docker.sock)") var listen: String?
  @Option(help: "Where the cluster's state is kept. (default: /var/lib/skep)") var stateDir: String?
  @Option(help: "Where the relay's socket is. (default: the folder of the first listen socket)") var runDir: String?
  @Option(help: "The address or interface by which others reach this host.") var advertiseAddr: String?
  @Option(help: "The skep-relay program, or \"external\" if it is a service of its own. (default: beside skepd)") var relay:
    String?
  @Option(help: "trace, debug, info, notice, warning, error or critical. (default: info)") var logLevel: String?
  @Option(
    help: "Where the metrics are told by HTTP too, such as 127.0.0.1:9323. (default: only on metrics.sock in the run directory)")
  var metricsAddr: String?
  @Option(help: "The config file. (default: /etc/skep/skepd.json, if it exists)") var config: String?

  func run() async throws {
    let options: Options
    do { options = try readOptions() } catch { throw ValidationError("\(error)") }
    let isForJournal = ServiceManager.readsStandardError
    LoggingSystem.bootstrap { _ in LogfmtHandler(level: options.logLevel, isForJournal: isForJournal) }
    let logger = Logger(label: "skepd")
    do { try await Daemon(options: options, logger: logger).run() } catch {
      logger.critical("skepd cannot run", metadata: ["error": "\(error)"])
      // The unit starts skepd again after any status but those that need the operator first.
      throw error is EngineInSwarmMode ? ExitCode(EX_CONFIG) : .failure
    }
  }

  private func readOptions() throws -> Options {
    let given: [Setting: String?] = [
      .engine: engine, .listen: listen, .stateDir: stateDir, .runDir: runDir, .advertiseAddr: advertiseAddr, .relay: relay,
      .logLevel: logLevel, .metricsAddr: metricsAddr,
    ]
    let environment = ProcessInfo.processInfo.environment
    let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return try Options(
      flags: given.compactMapValues { $0 }, environment: environment,
      file: try ConfigFile.read(path: config ?? environment["SKEP_CONFIG"]),
      executableDirectory: Options.directory(of: executable))
  }
}
