// SPDX-License-Identifier: Apache-2.0

/// The engine's reasons in the words that swarm's users search for.
package enum EngineMessages {
  private static let missingSource = "bind source path does not exist: "
  private static let isolation = "Invalid isolation: "

  package static func inSwarmsWords(_ message: String) -> String {
    if message.hasPrefix(isolation), let name = message.split(separator: "\"").dropFirst().first {
      return "invalid isolation '\(name)' on linux"
    }
    guard let found = message.firstRange(of: missingSource) else { return message }
    return "invalid bind mount source, source path not found: \(message[found.upperBound...])"
  }
}
