// SPDX-License-Identifier: Apache-2.0

import ClusterModel

extension TaskOperations {
  /// The container's view of the files that it is to have, whether they are there yet or not.
  func mounts(of task: ClusterTask) -> [FileMount] {
    PayloadFiles.references(of: task).enumerated().map { number, reference in
      FileMount(source: files.path(ofFile: number, ofTask: task.id), target: reference.path ?? "")
    }
  }

  func contents(of task: ClusterTask, _ ground: Ground) throws(TaskFailure) -> [TaskFile] {
    try PayloadFiles(task: task, payloads: ground.payloads, sealer: sealer).files()
  }

  func place(_ contents: [TaskFile], of task: ClusterTask) throws(TaskFailure) {
    if contents.isEmpty { return }
    do { try files.place(contents, ofTask: task.id) } catch {
      throw TaskFailure(.refused, "secrets and configs cannot be given to the container: \(error)")
    }
  }

  /// Before a start: the host may have been rebooted since the container was made.
  func replaceLostFiles(of task: ClusterTask, _ ground: Ground) throws(TaskFailure) {
    let count = PayloadFiles.references(of: task).count
    guard count > 0, !files.arePlaced(count, ofTask: task.id) else { return }
    try place(try contents(of: task, ground), of: task)
  }

  /// A task without a container to come has no use for its files.
  func removeFiles(ofTask id: String) {
    do { try files.remove(ofTask: id) } catch {
      logger.error("the secrets and configs of a task cannot be removed", metadata: ["task": "\(id)", "error": "\(error)"])
    }
  }

  /// What an agent before this one left, and what could not be removed before.
  func removeFiles(ofTasksBesides kept: Set<String>) {
    guard let found = try? files.taskIDs() else { return }
    for id in found.subtracting(kept) { removeFiles(ofTask: id) }
  }
}

/// A file of the host that a container sees, read-only.
struct FileMount: Sendable, Hashable {
  var source: String
  var target: String
}
