// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import skepd

@Suite("The state directory")
struct StateDirectoryTests {
  @Test("remembers its cluster beside the database until it is erased, so that a swarm with a damaged one can be left")
  func cluster() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("skepd-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let directory = try StateDirectory.open(path)
    #expect(directory.clusterID == nil)
    try directory.rememberCluster("abc")
    #expect(directory.clusterID == "abc")
    try directory.beginLeaving(clusterID: directory.clusterID ?? "")
    #expect(directory.leavingClusterID == "abc")
    try directory.erase()
    #expect(directory.clusterID == nil && !directory.isLeaving)
    #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["lock"])
  }
}
