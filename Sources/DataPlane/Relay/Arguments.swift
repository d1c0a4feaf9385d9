// SPDX-License-Identifier: Apache-2.0

/// The relay's command line. Parsed by hand: the process stays small and starts at once.
package enum Arguments {
  package enum Outcome: Sendable {
    case run(Relay.Configuration)
    case say(String)
    case refuse(String)
  }

  package static let usage = """
    usage: skep-relay --control PATH [--pid-file PATH] [--threads NUMBER]
      --control PATH   the socket on which skepd programs the relay
      --pid-file PATH  write the process id there
      --threads NUMBER threads that carry traffic, 1 to 64: by default SKEP_RELAY_THREADS,
                       or one for each processor, at most 4
      --version        print the version
      --help           print this
    """

  /// - Parameter environment: a setting that is not among the arguments is looked up here.
  package static func parse(_ arguments: some Sequence<String>, environment: [String: String] = [:]) -> Outcome {
    var control: String?
    var pidFile: String?
    var threads = environment["SKEP_RELAY_THREADS"]
    var rest = arguments.makeIterator()
    while let argument = rest.next() {
      switch argument {
      case "--help", "-h": return .say(usage)
      case "--version": return .say("skep-relay \(Relay.release)")
      case "--control", "--pid-file":
        guard let value = rest.next(), !value.isEmpty else { return .refuse("\(argument) needs a path") }
        if argument == "--control" { control = value } else { pidFile = value }
      case "--threads":
        guard let value = rest.next() else { return .refuse("--threads needs a number") }
        threads = value
      default: return .refuse("unknown argument \(argument)")
      }
    }
    guard let control else { return .refuse("--control is missing") }
    var configuration = Relay.Configuration(controlPath: control)
    configuration.pidFile = pidFile
    if let threads {
      guard let number = Int(threads), (1...64).contains(number) else {
        return .refuse("\(threads) is not a number of threads, which is 1 to 64")
      }
      configuration.threads = number
    }
    return .run(configuration)
  }
}
