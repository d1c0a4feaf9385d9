// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What the playground's directory remembers. It is written before anything is made.
///
/// It names no process: those are found by what the kernel says of them (see `ProcessTable`), which no crash makes stale.
struct PlaygroundState: Codable, Equatable {
  static let currentVersion = 1

  var version = Self.currentVersion
  var nodes: Int
  var configuration: Configuration

  static func read(_ layout: Layout) throws -> PlaygroundState? {
    guard let data = FileManager.default.contents(atPath: layout.stateFile) else { return nil }
    guard let state = try? JSONDecoder().decode(PlaygroundState.self, from: data), state.version == currentVersion,
      (1...Layout.hostLimit).contains(state.nodes)
    else {
      throw PlaygroundError(
        .badDirectory,
        "\(layout.stateFile) is damaged or of another version; `skep playground down --dir \(layout.directory)` removes it")
    }
    return state
  }

  /// Replaces the file in one step.
  func write(_ layout: Layout) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try encoder.encode(self).write(to: URL(fileURLWithPath: layout.stateFile), options: .atomic)
  }
}
