// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import PlaygroundKit

@Suite struct StateTests {
  /// A directory for the test's own, removed at its end.
  static func withLayout(_ body: (Layout) async throws -> Void) async throws {
    let layout = try Layout(directory: "/var/tmp/skep-state-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(atPath: layout.directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: layout.directory) }
    try await body(layout)
  }

  @Test("The state file gives back what was written")
  func roundTrip() async throws {
    try await Self.withLayout { layout in
      let state = PlaygroundState(
        nodes: 3,
        configuration: Configuration(
          daemons: .engineOnly, binaries: "/b", logLevel: "trace", skepdArguments: ["a b"], engineArguments: [], webImage: nil,
          storageDriver: .vfs))
      #expect(try PlaygroundState.read(layout) == nil)
      try state.write(layout)
      #expect(try PlaygroundState.read(layout) == state)
    }
  }

  @Test(
    "A damaged state file, or one of another version, is refused with the way out",
    arguments: [
      "", "{", #"{"version":2,"nodes":1,"configuration":{}}"#,
      #"{"version":1,"nodes":0,"configuration":{"daemons":"all","logLevel":"info","skepdArguments":[],"engineArguments":[]}}"#,
    ])
  func damaged(text: String) async throws {
    try await Self.withLayout { layout in
      try Data(text.utf8).write(to: URL(fileURLWithPath: layout.stateFile))
      let error = #expect(throws: PlaygroundError.self) { try PlaygroundState.read(layout) }
      #expect(error?.message.contains("playground down --dir \(layout.directory)") == true)
    }
  }

  @Test("A folder that holds something else is neither taken by up nor removed by down")
  func foreignFolder() async throws {
    try await Self.withLayout { layout in
      let file = "\(layout.directory)/precious"
      try Data("x".utf8).write(to: URL(fileURLWithPath: file))
      let error = await #expect(throws: PlaygroundError.self) {
        try await Playground.up(directory: layout.directory, configuration: Configuration(daemons: .engineOnly))
      }
      #expect(error?.code == .badDirectory)
      #expect(try await Playground.down(directory: layout.directory) == false)
      #expect(try FileManager.default.contentsOfDirectory(atPath: layout.directory) == ["precious"])
    }
  }

  @Test("Opening what isn't there says how to make it", arguments: ["/var/tmp/skep-no-such-playground"])
  func absent(directory: String) {
    let error = #expect(throws: PlaygroundError.self) { try Playground.open(directory: directory) }
    #expect(error?.message.contains("skep playground up --dir \(directory)") == true)
  }
}
