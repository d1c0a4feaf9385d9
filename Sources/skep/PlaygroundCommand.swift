// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import PlaygroundKit

struct PlaygroundCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "playground", abstract: "A cluster on this machine that never touches your own Docker.",
    discussion: "Each host is a network namespace with its own Docker Engine, skepd and relay. Needs root.",
    subcommands: [
      Up.self, Status.self, Exec.self, Logs.self, Kill.self, Start.self, Cut.self, Heal.self, Pause.self, Resume.self,
      Reboot.self,
      Down.self,
    ])

  struct Place: ParsableArguments {
    @Option(help: "The playground's directory (default: \(Layout.defaultDirectory)).", transform: absolutePath) var dir = Layout
      .defaultDirectory

    func open() throws -> Playground { try Playground.open(directory: dir) }
  }
}

extension PlaygroundCommand {
  struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make a playground, or repair the one that is there.")
    @OptionGroup var place: Place
    @Option(help: "How many hosts.") var nodes = 1
    @Option(help: "The log level of skepd.") var logLevel = "info"
    @Flag(help: "Only engines, fit for swarm mode: neither skepd nor relay.") var engineOnly = false
    @Flag(help: "Don't make the image \(WebImage.name).") var noImage = false

    func run() async throws {
      let configuration = Configuration.defaults.with {
        $0.logLevel = logLevel
        $0.daemons = engineOnly ? .engineOnly : .all
        // Swarm mode refuses live-restore.
        if engineOnly { $0.engineArguments = [] }
        if noImage { $0.webImage = nil }
      }
      let wasUp = (try? place.open().status().allAlive) ?? false
      let playground = try await Playground.up(nodes: nodes, directory: place.dir, configuration: configuration) {
        if !wasUp { printError($0) }
      }
      if wasUp { printError("the playground in \(place.dir) is up already") }
      print(playground.status().table())
    }
  }

  struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show hosts, sockets and processes.", discussion: "Ends with status 3 when something of the playground is dead.")
    @OptionGroup var place: Place
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
      let status = try place.open().status()
      print(json ? try status.json() : status.table())
      if !status.allAlive { throw ExitCode(3) }
    }
  }

  struct Exec: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Run a program on a host, or as an outside client.",
      discussion: "Its process ids are the host's own: those that the host's engine reports.")
    @OptionGroup var place: Place
    @Argument(help: "n1, n2, … or client.") var host: String
    @Argument(parsing: .postTerminator, help: "The program and its arguments, after --.") var command: [String]

    func validate() throws {
      if command.isEmpty { throw ValidationError("say what to run, after --") }
    }

    func run() async throws {
      let playground = try place.open()
      try replaceProcess(
        host == "client" ? playground.client.execCommand(command) : playground.host(host).execCommand(command))
    }
  }

  struct Kill: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Kill a part of a host; `all` is the host's power cut.",
      discussion: "With the engine goes its containerd; containers live on.")
    @OptionGroup var place: Place
    @Argument(help: "n1, n2, …") var host: String
    @Argument(help: "skepd, relay, engine or all.") var part = Host.Part.all
    @Option(help: "The signal's name or number.") var signal = Signal.kill

    func run() async throws { try await place.open().host(host).kill(part, signal: signal.number) }
  }

  struct Start: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Start what is dead on a host.")
    @OptionGroup var place: Place
    @Argument(help: "n1, n2, …") var host: String
    @Argument(help: "skepd, relay, engine or all: with what it needs.") var part = Host.Part.all

    func run() async throws { try await place.open().host(host).start(part) }
  }

  struct Down: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Remove every trace of the playground.")
    @OptionGroup var place: Place

    func run() async throws {
      let removed = try await Playground.down(directory: place.dir)
      printError(removed ? "the playground in \(place.dir) is gone" : "there is no playground in \(place.dir)")
    }
  }
}

extension Host.Part: ExpressibleByArgument {}
