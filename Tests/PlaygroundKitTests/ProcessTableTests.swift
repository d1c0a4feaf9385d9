// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import PlaygroundKit

@Suite struct ProcessTableTests {
  static func entry(
    _ pid: Int32, _ executable: String, argv0: String? = nil, process: String, mount: String = "m", net: String = "n"
  )
    -> ProcessTable.Entry
  {
    .init(
      pid: pid, executable: executable, argv0: argv0 ?? executable, processNamespace: process, mountNamespace: mount,
      networkNamespace: net)
  }

  let table = ProcessTable(
    entries: [
      entry(1, "systemd", process: "p0", mount: "m0", net: "net:[0]"),
      // A program of somebody else's that calls itself like a host of ours.
      entry(2, "fake", argv0: "skep-abc123-n1-init", process: "p0", mount: "m0", net: "net:[0]"),
      entry(10, "unshare", process: "p0", mount: "m1", net: "net:[1]"),
      entry(11, "bash", argv0: "skep-abc123-n1-init", process: "p1", mount: "m1", net: "net:[1]"),
      entry(12, "dockerd", process: "p1", mount: "m1", net: "net:[1]"),
      // In a container with the host's process namespace, and in one with its own of everything.
      entry(13, "dockerd", process: "p1", mount: "m2", net: "net:[2]"),
      entry(14, "web", process: "p2", mount: "m3", net: "net:[3]"),
      entry(21, "bash", argv0: "skep-def456-n1-init", process: "p4", mount: "m4", net: "net:[4]"),
      entry(31, "curl", process: "p0", mount: "m0", net: "net:[5]"),
    ], own: entry(40, "skep", process: "p0", mount: "m0", net: "net:[0]"))

  @Test("A host's init is found by its name, but not outside a process namespace of its own")
  func hostInit() {
    #expect(table.hostInit("skep-abc123-n1-init")?.pid == 11)
    #expect(table.hostInit("skep-abc123-n2-init") == nil)
  }

  @Test("What runs on a host is told from what runs in its containers")
  func onHost() throws {
    let hostInit = try #require(table.hostInit("skep-abc123-n1-init"))
    #expect(table.onHost(hostInit).map(\.pid) == [12])
  }

  @Test("A playground's processes are those in its namespaces, never those beside the one that looks")
  func belonging() {
    let found = table.belonging(toPrefix: "skep-abc123-", networkNamespaces: ["net:[1]", "net:[5]", "net:[0]"])
    #expect(found.map(\.pid) == [10, 11, 12, 13, 31])
  }

  @Test(
    "A program's name survives being replaced by a build",
    arguments: [("/b/skepd", "skepd"), ("/b/skepd (deleted)", "skepd"), ("skepd", "skepd"), ("", "")])
  func baseName(path: String, name: String) {
    #expect(ProcessTable.baseName(path) == name)
  }

  @Test("A host's descendants are its programs and what runs in its containers, not its init's own ancestors")
  func descendants() {
    let parents: [Int32: Int32] = [1: 0, 10: 1, 11: 10, 12: 11, 13: 12, 14: 13, 20: 1, 21: 20, 31: 99]
    #expect(ProcessTable.descendants(of: 11, parents: parents) == [12, 13, 14])
    #expect(ProcessTable.descendants(of: 21, parents: parents) == [])
    #expect(ProcessTable.descendants(of: 11, parents: [5: 6, 6: 5]) == [])
  }
}
