// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

@main
struct Skep: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skep", abstract: "High availability and load balancing for Docker hosts.",
    subcommands: [LoadBalancerCommand.self, PlaygroundCommand.self]
  )
}
