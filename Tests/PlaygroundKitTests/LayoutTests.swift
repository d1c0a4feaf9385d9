// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import PlaygroundKit

@Suite struct LayoutTests {
  @Test("Names, paths and addresses come from the directory alone")
  func names() throws {
    let layout = try Layout(directory: "/var/tmp//skep-playground/")
    #expect(layout.directory == "/var/tmp/skep-playground")
    #expect(layout == (try Layout(directory: Layout.defaultDirectory)))
    #expect(layout.id == "6e99d4")
    #expect(layout.namespace(of: "n1") == "skep-6e99d4-n1")
    #expect(Layout.hostNames(3) == ["n1", "n2", "n3"])
    #expect(Layout.address(ofHost: 3) == "10.77.0.3")
  }

  @Test("Another directory gives other names")
  func distinct() throws {
    let ids = try Set((0..<200).map { try Layout(directory: "/var/tmp/p\($0)").id })
    #expect(ids.count == 200)
    #expect(ids.allSatisfy { $0.count == 6 && $0.allSatisfy(\.isHexDigit) })
  }

  @Test(
    "A directory that can't hold a playground is refused",
    arguments: [
      "", "/", "relative", "/var/tmp/../etc", "/run/skep", "/var/run/skep", "/proc/x", "/" + String(repeating: "d", count: 95),
    ])
  func refused(directory: String) {
    let error = #expect(throws: PlaygroundError.self) { try Layout(directory: directory) }
    #expect(error?.code == .badDirectory)
  }

  @Test("The longest directory that is taken leaves room for a socket's path")
  func longest() throws {
    let layout = try Layout(directory: "/" + String(repeating: "d", count: 88))
    #expect("\(layout.directory(of: "n200"))/engine.sock".utf8.count <= 107)
  }
}
