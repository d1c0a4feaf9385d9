// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import Foundation
import Identity

/// What a worker keeps: who it is, where its managers are, and what it was told last.
struct Membership: Sendable {
  var credentials: NodeCredentials
  /// `host:2377` of each, with node ids.
  var managers: [NodeMessage.Manager]
  /// Advertised, without port.
  var address: String
  /// Where peers' traffic is wanted; `nil` for where the managers see this host.
  var dataPath: String?
}

extension StateDirectory {
  private struct Managers: Codable {
    var managers: [NodeMessage.Manager]
    var address: String
    /// Absent in what older releases wrote.
    var dataPath: String?
  }

  var hasMembership: Bool { FileManager.default.fileExists(atPath: credentialsPath) }

  /// Throws when it is damaged.
  func membership() throws -> Membership {
    let bundle: String
    do { bundle = try String(contentsOfFile: credentialsPath, encoding: .utf8) } catch {
      throw StateError(description: "\(credentialsPath) cannot be read: \(error)")
    }
    let credentials: NodeCredentials
    do { credentials = try NodeCredentials(bundle: bundle) } catch {
      throw StateError(
        description: "\(credentialsPath) cannot be used (\(error)): leave the swarm with \"docker swarm leave\", and join again")
    }
    guard let bytes = FileManager.default.contents(atPath: managersPath),
      let known = try? GoJSONDecoder().decode(Managers.self, from: Array(bytes))
    else { throw StateError(description: "\(managersPath) is missing or damaged: leave the swarm, and join again") }
    return Membership(credentials: credentials, managers: known.managers, address: known.address, dataPath: known.dataPath)
  }

  /// The credentials go last: where they are, all of it is.
  func write(_ membership: Membership) throws {
    try write(placeOf: membership)
    try write(membership.credentials)
  }

  /// All but the credentials.
  func write(placeOf membership: Membership) throws {
    let place = Managers(managers: membership.managers, address: membership.address, dataPath: membership.dataPath)
    let bytes = try GoJSONEncoder().bytes(place)
    try write(String(decoding: bytes, as: UTF8.self), to: managersPath)
  }

  func write(_ credentials: NodeCredentials) throws { try write(credentials.bundle, to: credentialsPath) }

  /// What the managers said last; `nil` when there is nothing that can be read, which costs no more than waiting for a manager.
  func lastAssignment() -> Assignment? {
    FileManager.default.contents(atPath: assignmentPath).flatMap { try? Assignment(stored: Array($0)) }
  }

  func write(_ assignment: Assignment) throws {
    try write(String(decoding: try assignment.stored(), as: UTF8.self), to: assignmentPath)
  }

  /// Where this manager listens for nodes, `host:port`; `nil` for all addresses and the usual port.
  var listenAddress: String? { try? String(contentsOfFile: listenPath, encoding: .utf8) }

  func write(listenAddress: String) throws { try write(listenAddress, to: listenPath) }
}
