// SPDX-License-Identifier: Apache-2.0

/// The relay's command line. Parsed by hand: the process stays small and starts at once.
package enum Arguments {
  package enum Outcome: Sendable {
    case run(Relay.Configuration)
    case say(String)
    case refuse(String)
  }

  package static let usage = """
    usage: skep-relay --control PATH [--pid-file PATH]
      --control PATH   the socket on which skepd programs the relay
      --pid-file PATH  write the process id there
      --version        print the version
      --help           print this
    """

  package static func parse(_ arguments: some Sequence<String>) -> Outcome {
    var control: String?
    var pidFile: String?
    var rest = arguments.makeIterator()
    while let argument = rest.next() {
      switch argument {
      case "--help", "-h": return .say(usage)
      case "--version": return .say("skep-relay \(Relay.release)")
      case "--control", "--pid-file":
        guard let value = rest.next(), !value.isEmpty else { return .refuse("\(argument) needs a path") }
        if argument == "--control" { control = value } else { pidFile = value }
      default: return .refuse("unknown argument \(argument)")
      }
    }
    guard let control else { return .refuse("--control is missing") }
    var configuration = Relay.Configuration(controlPath: control)
    configuration.pidFile = pidFile
    return .run(configuration)
  }
}
