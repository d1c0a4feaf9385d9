// SPDX-License-Identifier: Apache-2.0

import DataPlane
import Glibc
import ServiceManager

@main
struct SkepRelay {
  static func main() {
    let threads = getenv("SKEP_RELAY_THREADS").map { ["SKEP_RELAY_THREADS": String(cString: $0)] }
    switch Arguments.parse(CommandLine.arguments.dropFirst(), environment: threads ?? [:]) {
    case .say(let text): print(text)
    case .refuse(let reason): fail("\(reason)\n\(Arguments.usage)", status: EX_USAGE)
    case .run(let configuration): run(configuration)
    }
  }

  private static func run(_ configuration: Relay.Configuration) {
    var configuration = configuration
    // Looked up now: once the file has been replaced, the link names the deleted one.
    if let path = executable() { configuration.successor = [path] + CommandLine.arguments.dropFirst() }
    do {
      try Relay.run(configuration)
    } catch {
      fail("\(error)", status: EX_SOFTWARE)
    }
  }

  private static func executable() -> String? {
    var path = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &path, path.count)
    return count > 0 ? String(decoding: path[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
  }

  private static func fail(_ text: String, status: Int32) {
    let line = "\(ServiceManager.readsStandardError ? "<3>" : "")skep-relay: \(text)\n"
    write(STDERR_FILENO, line, line.utf8.count)
    exit(status)
  }
}
