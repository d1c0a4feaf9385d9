// SPDX-License-Identifier: Apache-2.0

import CLinux
import Foundation
import Glibc
import NodeAgent

/// Tasks' files below the run directory, which has to be on a tmpfs that the engine sees too: `/run` is. None is mounted here: a
/// mount of skepd's own would be in its own mount namespace only, under systemd.
struct HostTaskFiles: TaskFiles {
  private let directory: String

  init(runDirectory: String) { directory = runDirectory + "/tasks" }

  func path(ofFile number: Int, ofTask id: String) -> String { "\(directory)/\(id)/\(number)" }

  func place(_ files: [TaskFile], ofTask id: String) throws {
    try makeDirectory(directory)
    try checkIsInMemory()
    try makeDirectory("\(directory)/\(id)")
    for (number, file) in files.enumerated() { try write(file, to: path(ofFile: number, ofTask: id)) }
  }

  func remove(ofTask id: String) throws { try remove("\(directory)/\(id)") }

  func taskIDs() throws -> Set<String> {
    guard FileManager.default.fileExists(atPath: directory) else { return [] }
    return Set(try FileManager.default.contentsOfDirectory(atPath: directory))
  }

  /// Those of all tasks: this host has left its swarm.
  func removeAll() throws { try remove(directory) }

  private func remove(_ path: String) throws {
    do { try FileManager.default.removeItem(atPath: path) } catch CocoaError.fileNoSuchFile {}
  }

  /// For its owner only: containers have the files themselves.
  private func makeDirectory(_ path: String) throws {
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure(path) }
  }

  private func checkIsInMemory() throws {
    guard cl_is_in_memory(directory) == 1 else {
      throw StateError(description: "\(directory) is not on a tmpfs: give skepd a --run-dir on one, such as /run/skep")
    }
  }

  /// Under its name it is whole, and what a container has of an earlier one stays as it is.
  private func write(_ file: TaskFile, to path: String) throws {
    let temporary = path + ".new"
    unlink(temporary)
    let descriptor = Glibc.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure(path) }
    defer { close(descriptor) }
    // The owner before the bits: it takes some of them away.
    guard Self.write(file.data, to: descriptor), fchown(descriptor, file.user, file.group) == 0,
      fchmod(descriptor, file.mode) == 0, rename(temporary, path) == 0
    else {
      let error = failure(path)
      unlink(temporary)
      throw error
    }
  }

  private static func write(_ data: [UInt8], to descriptor: Int32) -> Bool {
    var rest = data[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }

  private func failure(_ path: String) -> StateError { StateError(description: "\(path): \(String(cString: strerror(errno)))") }
}
