// SPDX-License-Identifier: Apache-2.0

import ClusterModel

extension TaskOperations {
  /// The container's view of the files that it is to have, whether they are there yet or not.
  func mounts(of task: ClusterTask) -> [FileMount] {
    PayloadFiles.references(of: task).enumerated().map { number, reference in
      FileMount(source: files.path(ofFile: number, ofTask: task.id), target: reference.path ?? "")
    }
  }

  /// Before the container is made, as the engine looks whether they are there. What is in them comes at the start.
  func placeEmptyFiles(of task: ClusterTask) throws(TaskFailure) {
    try place(PayloadFiles.references(of: task).map { TaskFile(target: $0.path ?? "", data: [], mode: 0) }, of: task)
  }

  /// Before the container starts; the host may have been rebooted since it was made.
  func placeFiles(of task: ClusterTask, in container: ContainerState, _ ground: Ground) throws(TaskFailure) {
    do throws(TaskFailure) {
      try place(try PayloadFiles(task: task, payloads: ground.payloads, sealer: sealer).files(), of: task)
    } catch {
      throw TaskFailure(error.code, error.message, container: container)
    }
  }

  private func place(_ contents: [TaskFile], of task: ClusterTask) throws(TaskFailure) {
    if contents.isEmpty { return }
    do { try files.place(contents, ofTask: task.id) } catch {
      throw TaskFailure(.refused, "secrets and configs cannot be given to the container: \(error)")
    }
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
