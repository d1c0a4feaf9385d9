// SPDX-License-Identifier: Apache-2.0

import Foundation
import NodeAgent
import Testing

@testable import skepd

@Suite("A host's files of secrets and configs")
struct HostTaskFilesTests {
  /// In memory, as `/dev/shm` is everywhere.
  private static func with(_ folder: String = "/dev/shm", _ body: (HostTaskFiles, String) throws -> Void) throws {
    let run = "\(folder)/skep-\(UUID())"
    try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: run) }
    try body(HostTaskFiles(runDirectory: run), run)
  }

  private static func bits(_ path: String) throws -> [Int] {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return [.posixPermissions, .ownerAccountID, .groupOwnerAccountID].map { attributes[$0] as? Int ?? -1 }
  }

  @Test("have their owner and their bits, in a folder that is root's alone, and go")
  func life() throws {
    try Self.with { files, run in
      let large = [UInt8](repeating: 7, count: 1_000 << 10)
      let given = [
        TaskFile(target: "/a", data: Array("hunter2".utf8), user: 1_000, group: 33, mode: 0o440),
        TaskFile(target: "/b", data: large),
      ]
      try files.place(given, ofTask: "t1")
      #expect(files.path(ofFile: 0, ofTask: "t1") == "\(run)/tasks/t1/0")
      #expect(try String(contentsOfFile: "\(run)/tasks/t1/0", encoding: .utf8) == "hunter2")
      #expect(try Self.bits("\(run)/tasks/t1/0") == [0o440, 1_000, 33])
      #expect(try Data(contentsOf: URL(fileURLWithPath: "\(run)/tasks/t1/1")) == Data(large))
      for folder in ["tasks", "tasks/t1"] { #expect(try Self.bits("\(run)/\(folder)") == [0o700, 0, 0]) }
      #expect(try files.taskIDs().sorted() == ["t1"])
      try files.remove(ofTask: "t1")
      try files.remove(ofTask: "t1")
      #expect(try files.taskIDs().sorted() == [])
      try files.place(given, ofTask: "t2")
      try files.removeAll()
      try files.removeAll()
      #expect(try FileManager.default.contentsOfDirectory(atPath: run) == [])
      #expect(try files.taskIDs().sorted() == [])
    }
  }

  @Test("that are made again are other files: what has the first open keeps it")
  func again() throws {
    try Self.with { files, run in
      try files.place([TaskFile(target: "/a", data: Array("first".utf8))], ofTask: "t1")
      let first = try #require(FileHandle(forReadingAtPath: files.path(ofFile: 0, ofTask: "t1")))
      try files.place([TaskFile(target: "/a", data: Array("second".utf8))], ofTask: "t1")
      #expect(try first.readToEnd() == Data("first".utf8))
      #expect(try FileManager.default.contentsOfDirectory(atPath: "\(run)/tasks/t1") == ["0"])
    }
  }

  @Test("are on no disk")
  func disk() throws {
    try Self.with(FileManager.default.currentDirectoryPath + "/.build") { files, run in
      let error = #expect(throws: StateError.self) { try files.place([TaskFile(target: "/a", data: [1])], ofTask: "t1") }
      #expect(error?.description == "\(run)/tasks is not on a tmpfs: give skepd a --run-dir on one, such as /run/skep")
      let left = try files.taskIDs()
      #expect(left.isEmpty)
    }
  }
}
