// SPDX-License-Identifier: Apache-2.0
import Foundation

extension Playground {
  /// A directory for one test's playground. `./test` names the folder with SKEP_SCRATCH and afterwards takes down what tests that
  /// were killed left in it.
  package static func scratchDirectory() -> String {
    let folder = ProcessInfo.processInfo.environment["SKEP_SCRATCH"] ?? "/var/tmp/skep-test-\(getpid())"
    return "\(folder)-\(UUID().uuidString.prefix(6).lowercased())"
  }
}
