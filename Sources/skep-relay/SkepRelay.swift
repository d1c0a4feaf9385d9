// SPDX-License-Identifier: Apache-2.0

import DataPlane
import Glibc

@main
struct SkepRelay {
  static func main() {
    switch Arguments.parse(CommandLine.arguments.dropFirst()) {
    case .say(let text): print(text)
    case .refuse(let reason): fail("\(reason)\n\(Arguments.usage)", status: EX_USAGE)
    case .run(let configuration): run(configuration)
    }
  }

  private static func run(_ configuration: Relay.Configuration) {
    do {
      try Relay.run(configuration)
    } catch {
      fail("\(error)", status: EX_SOFTWARE)
    }
  }

  private static func fail(_ text: String, status: Int32) {
    let line = "skep-relay: \(text)\n"
    write(STDERR_FILENO, line, line.utf8.count)
    exit(status)
  }
}
