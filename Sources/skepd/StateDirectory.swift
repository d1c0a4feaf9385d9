// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Identity
import StoreSQLite

/// The daemon's folder: the cluster's database, the authority's and the sealing key, and marks of what is half done.
struct StateDirectory: Sendable {
  let path: String

  /// What a file is called until it is whole.
  private static let unfinished = ".new"

  var keyPath: String { path + "/ca.key" }
  private var sealingKeyPath: String { path + "/secrets.key" }
  private var leavingPath: String { path + "/leaving" }
  var credentialsPath: String { path + "/node.pem" }
  var managersPath: String { path + "/managers" }
  var assignmentPath: String { path + "/assignment" }
  var listenPath: String { path + "/listen" }
  private var clusterPath: String { path + "/cluster" }

  /// Makes the folder if need be and locks it, so that no two daemons ever use it. The lock lasts as long as the process.
  static func open(_ path: String) throws -> StateDirectory {
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let descriptor = Glibc.open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw StateError(description: "\(path)/lock cannot be opened: \(String(cString: strerror(errno)))")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw StateError(
        description: "another skepd uses the state directory \(path): stop it, or give this one a --state-dir of its own")
    }
    return StateDirectory(path: path)
  }

  /// The cluster this host is in, also when its database is damaged or lost. It is written after the database, and erased before it:
  /// where it is, there was a database.
  var clusterID: String? {
    guard let text = try? String(contentsOfFile: clusterPath, encoding: .utf8), !text.isEmpty else { return nil }
    return text
  }

  func rememberCluster(_ id: String) throws { if clusterID != id { try write(id, to: clusterPath) } }

  /// Whether a leave was begun; it is finished before anything else.
  var isLeaving: Bool { FileManager.default.fileExists(atPath: leavingPath) }

  /// `clusterID` is what the containers to remove are labelled with.
  func beginLeaving(clusterID: String) throws {
    // Renaming needs no space: a swarm can be left on a full disk too.
    guard !clusterID.isEmpty, self.clusterID == clusterID else { return try write(clusterID, to: leavingPath) }
    guard rename(clusterPath, leavingPath) == 0 else { throw failure(leavingPath) }
    try syncFolder()
  }

  var leavingClusterID: String { (try? String(contentsOfFile: leavingPath, encoding: .utf8)) ?? "" }

  /// Erases the cluster; the mark goes last.
  func erase() throws {
    if FileManager.default.fileExists(atPath: clusterPath) { try FileManager.default.removeItem(atPath: clusterPath) }
    try SQLiteBackend.delete(directory: path)
    let files = [keyPath, sealingKeyPath, credentialsPath, managersPath, assignmentPath, listenPath]
    let unfinished = (files + [clusterPath, leavingPath]).map { $0 + Self.unfinished }
    for file in unfinished + files + [leavingPath] where FileManager.default.fileExists(atPath: file) {
      try FileManager.default.removeItem(atPath: file)
    }
  }

  /// Gives the files that hold secrets back to their owner alone. Returns what had to be changed, for the log.
  func tightenPermissions() -> [String] {
    let limits: [(String, mode_t)] = [
      (path, 0o700), (keyPath, 0o600), (sealingKeyPath, 0o600), (credentialsPath, 0o600),
      (path + "/" + SQLiteBackend.fileName, 0o600),
    ]
    return limits.compactMap { file, mode in
      var status = stat()
      guard lstat(file, &status) == 0, status.st_mode & 0o777 & ~mode != 0 else { return nil }
      return chmod(file, status.st_mode & 0o777 & mode) == 0 ? file : nil
    }
  }

  /// The key that the cluster's secrets are sealed with, made where there is none: in a new swarm, in one of an earlier release, and
  /// when it was lost. One that is damaged is never replaced, as it may be mended.
  func sealingKey() throws -> SealingKey {
    guard FileManager.default.fileExists(atPath: sealingKeyPath) else { return try makeSealingKey() }
    guard let text = try? String(contentsOfFile: sealingKeyPath, encoding: .utf8), let key = SealingKey(text: text) else {
      throw StateError(
        description: "\(sealingKeyPath) is damaged or unreadable: restore it from a backup, or delete it, and restart skepd")
    }
    return key
  }

  func makeSealingKey() throws -> SealingKey {
    let key = SealingKey.make()
    try write(key.text, to: sealingKeyPath)
    return key
  }

  /// Whole or not at all, also after power loss: a temporary file, synced, renamed, and the folder synced.
  func write(_ text: String, to file: String) throws {
    let temporary = file + Self.unfinished
    let descriptor = Glibc.open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure(file) }
    let bytes = Array(text.utf8)
    let isWritten = Glibc.write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
    close(descriptor)
    guard isWritten, rename(temporary, file) == 0 else {
      let error = failure(file)
      unlink(temporary)
      throw error
    }
    try syncFolder()
  }

  private func syncFolder() throws {
    let directory = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { close(directory) }
    guard directory >= 0, fsync(directory) == 0 else { throw failure(path) }
  }

  private func failure(_ file: String) -> StateError {
    StateError(description: "\(file) cannot be written: \(String(cString: strerror(errno)))")
  }
}

struct StateError: Error, CustomStringConvertible {
  var description: String
}
