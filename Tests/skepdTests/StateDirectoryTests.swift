// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineAPI
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

  @Test("while the root is replaced its key is kept beside the next one's, and forgotten when that is in force")
  func keys() throws {
    try Self.with { path, directory in
      let old = try CertificateAuthority.make(now: 1_600_000_000)
      var cluster = Cluster(
        id: "c1", spec: .defaults, createdAt: .zero, joinTokens: .init(worker: "", manager: ""), trustRoot: old.certificatePEM,
        defaultAddrPool: [], subnetSize: 24, dataPathPort: 4_789, ingressPool: IPv4Subnet(base: IPv4Address(bits: 0), prefix: 16))
      let authority = ClusterAuthority(directory: directory, clusterID: "c1")
      #expect(performing: { _ = try authority.rotation(to: .new, from: cluster) }, throws: { "\($0)".contains("key is lost") })
      try directory.writeKey(old.keyPEM)
      let first = try #require(try authority.rotation(to: .new, from: cluster))
      let mine = try CertificateAuthority.make(now: 1_790_000_000)
      let wish = RootWish.given(certificate: mine.certificatePEM, key: mine.keyPEM)
      let second = try #require(try authority.rotation(to: wish, from: cluster))
      #expect(second.certificate == mine.certificatePEM)
      for certificate in [old.certificatePEM, first.certificate, mine.certificatePEM] {
        #expect(directory.keyProblem(certificate: certificate) == nil)
      }
      cluster.rotation = second
      try authority.forgetOthers(cluster)
      #expect(directory.authority(certificate: first.certificate) == nil)
      #expect(directory.authority(certificate: old.certificatePEM) != nil)
      #expect(try authority.rotation(to: wish, from: cluster) == second)

      // Nodes have theirs from the next root, the manager from the one that all believe.
      let request = try NodeKey.make().signingRequest()
      for (isManager, root) in [(false, mine.certificatePEM), (true, old.certificatePEM)] {
        let leaf = try NodeCredentials.der(of: try authority.sign(request, for: "n", isManager: isManager, of: cluster))
        #expect(try TrustRoot(pem: root).identity(of: leaf, now: SystemClock.now().wall).nodeID == "n")
      }
      cluster.trustRoot = second.certificate
      cluster.rotation = nil
      try authority.forgetOthers(cluster)
      #expect(try String(contentsOfFile: path + "/ca.key", encoding: .utf8) == mine.keyPEM + "\n")
      #expect(try authority.rotation(to: wish, from: cluster) == nil)
    }
  }
}
