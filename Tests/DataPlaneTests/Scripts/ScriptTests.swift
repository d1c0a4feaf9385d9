// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Through the relay", .serialized, .timeLimit(.minutes(2)))
struct ScriptTests {
  @Test("endpoints get their turns", arguments: Script.turns)
  func turns(script: Script) async throws { try await script.run() }

  @Test("ends are passed on one by one", arguments: Script.ends)
  func ends(script: Script) async throws { try await script.run() }

  @Test("resets are passed on as resets", arguments: Script.resets)
  func resets(script: Script) async throws { try await script.run() }

  @Test("endpoints that fail cost time only", arguments: Script.failures)
  func failures(script: Script) async throws { try await script.run() }

  @Test("bytes arrive as they were sent", arguments: Script.bytes)
  func bytes(script: Script) async throws { try await script.run() }

  @Test("a new table leaves open connections alone", arguments: Script.tables)
  func tables(script: Script) async throws { try await script.run() }

  @Test("datagrams keep to their sessions", arguments: Script.datagrams)
  func datagrams(script: Script) async throws { try await script.run() }

  @Test("a relay that goes serves whom it has", arguments: Script.processes)
  func processes(script: Script) async throws { try await script.run(on: ProcessFixture()) }
}
