// SPDX-License-Identifier: Apache-2.0

import Foundation
import Identity
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

  private static func with(_ body: (String, StateDirectory) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("skepd-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path, try StateDirectory.open(path))
  }

  @Test("a leave that is begun needs no new file, and what was half written goes with the rest")
  func leaving() throws {
    try Self.with { path, directory in
      try directory.rememberCluster("abc")
      try Data().write(to: URL(fileURLWithPath: path + "/ca.key.new"))
      try directory.beginLeaving(clusterID: "abc")
      #expect(try FileManager.default.contentsOfDirectory(atPath: path).sorted() == ["ca.key.new", "leaving", "lock"])
      #expect(directory.isLeaving && directory.leavingClusterID == "abc")
      try directory.erase()
      #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["lock"])
    }
  }

  @Test("files with secrets are given back to their owner alone, once")
  func permissions() throws {
    try Self.with { path, directory in
      try directory.writeKey("key")
      #expect(directory.tightenPermissions() == [])
      let files = FileManager.default
      try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
      try files.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path + "/ca.key")
      #expect(directory.tightenPermissions() == [path, path + "/ca.key"])
      #expect(directory.tightenPermissions() == [])
    }
  }

  @Test("the sealing key is made once, is read back, and is never replaced when it is damaged")
  func sealingKey() throws {
    try Self.with { path, directory in
      let key = try directory.sealingKey()
      #expect(try directory.sealingKey().text == key.text)
      let files = FileManager.default
      #expect(try files.attributesOfItem(atPath: path + "/secrets.key")[.posixPermissions] as? Int == 0o600)
      try files.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path + "/secrets.key")
      #expect(directory.tightenPermissions() == [path + "/secrets.key"])
      try Data("nonsense".utf8).write(to: URL(fileURLWithPath: path + "/secrets.key"))
      let problem = "\(path)/secrets.key is damaged or unreadable: restore it from a backup, or delete it, and restart skepd"
      #expect(performing: { _ = try directory.sealingKey() }, throws: { "\($0)" == problem })
      #expect(try String(contentsOfFile: path + "/secrets.key", encoding: .utf8) == "nonsense")
      #expect(try directory.makeSealingKey().text != key.text)
      try Data().write(to: URL(fileURLWithPath: path + "/secrets.key.new"))
      try directory.erase()
      #expect(try files.contentsOfDirectory(atPath: path) == ["lock"])
    }
  }

  @Test("a key that is missing, damaged or another cluster's is told by its file")
  func key() throws {
    try Self.with { path, directory in
      let authority = try CertificateAuthority.make(now: 1_700_000_000)
      let problem = { directory.keyProblem(certificate: authority.certificatePEM) }
      #expect(problem() == "\(path)/ca.key is missing or unreadable")
      try directory.writeKey("nonsense")
      #expect(problem() == "\(path)/ca.key is not the key of this cluster's certificate")
      try directory.writeKey(try CertificateAuthority.make(now: 1_700_000_000).keyPEM)
      #expect(problem() == "\(path)/ca.key is not the key of this cluster's certificate")
      try directory.writeKey(authority.keyPEM)
      #expect(problem() == nil)
    }
  }
}
