// SPDX-License-Identifier: Apache-2.0

/// One file of a task, made of a secret or a config.
package struct TaskFile: Sendable, Hashable {
  /// Where it is in the container, absolute.
  package var target: String
  package var data: [UInt8]
  package var user: UInt32
  package var group: UInt32
  /// Permission bits.
  package var mode: UInt32

  package init(target: String, data: [UInt8], user: UInt32 = 0, group: UInt32 = 0, mode: UInt32 = 0o444) {
    self.target = target
    self.data = data
    self.user = user
    self.group = group
    self.mode = mode
  }
}

/// Where this host keeps its tasks' files: in memory, so that they are on no disk and gone after a reboot. The engine mounts them into
/// containers by their paths.
package protocol TaskFiles: Sendable {
  /// Where a task's file of that number is, there or not.
  func path(ofFile number: Int, ofTask id: String) -> String

  /// Makes all files of a task, each whole at once, in place of those that are there. A container that runs keeps the ones it has.
  func place(_ files: [TaskFile], ofTask id: String) throws

  /// Nothing happens when there are none.
  func remove(ofTask id: String) throws

  /// The tasks that have any.
  func taskIDs() throws -> Set<String>
}
