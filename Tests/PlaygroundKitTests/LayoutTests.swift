// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import PlaygroundKit

@Suite struct LayoutTests {
  @Test("Names, paths and addresses come from the directory alone")
  func names() throws {
    let layout = try Layout(directory: "/var/tmp//skep-playground/")
    #expect(layout.directory == "/var/tmp/skep-playground")
    #expect(layout == (try Layout(directory: Layout.defaultDirectory)))
    #expect(layout.namespace(of: "n1") == "skep-\(layout.id)-n1")
    #expect(layout.id.count == 6)
    #expect(Layout.hostNames(3) == ["n1", "n2", "n3"])
    #expect(Layout.address(ofHost: 3) == "10.77.0.3")
  }
}
