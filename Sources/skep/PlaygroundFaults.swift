// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import PlaygroundKit

extension PlaygroundCommand {
  /// One host of a playground.
  struct Target: ParsableArguments {
    @OptionGroup var place: Place
    @Argument(help: "n1, n2, …") var name: String

    var host: PlaygroundKit.Host { get throws { try place.open().host(name) } }
  }

  struct Cut: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Cut a host off from all others and the client; it runs on.")
    @OptionGroup var target: Target
    func run() async throws { try await target.host.cut() }
  }

  struct Heal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Connect a host that was cut off again.")
    @OptionGroup var target: Target
    func run() async throws { try await target.host.heal() }
  }

  struct Pause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Stop every process of a host where it stands.")
    @OptionGroup var target: Target
    func run() async throws { try await target.host.pause() }
  }

  struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Let a paused host go on.")
    @OptionGroup var target: Target
    func run() async throws { try target.host.resume() }
  }

  struct Reboot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Shut a host down in good order, and start it.")
    @OptionGroup var target: Target
    func run() async throws { try await target.host.reboot() }
  }

  struct Logs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print what a part of a host has logged.")
    @OptionGroup var target: Target
    @Argument(help: "skepd, relay, engine or all; all is the host's own start.") var part = PlaygroundKit.Host.Part.skepd
    @Flag(name: .shortAndLong, help: "Go on with what is logged from now on.") var follow = false

    func run() async throws {
      let host = try target.host
      let tail = ["tail", "-n", "+1"] + (follow ? ["-F"] : [])
      // The relay's is in the host's own /run.
      if part == .relay { return try replaceProcess(host.execCommand(tail + ["/run/skep/relay.log"])) }
      let name = part == .all ? "host" : part.rawValue
      try replaceProcess(Command("tail", Array(tail.dropFirst()) + ["\(host.directory)/\(name).log"]))
    }
  }
}
