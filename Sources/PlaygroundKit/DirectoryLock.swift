// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Held while a playground is being changed, so that two commands don't make or remove the same thing. The kernel gives it back
/// when the process ends, however it ends.
final class DirectoryLock {
  private let descriptor: Int32

  /// Waits for its turn. `down` removes the file, so after waiting it must still be the one that the path names.
  init(path: String) async throws {
    while true {
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else {
        throw PlaygroundError(.badDirectory, "cannot open \(path): \(String(cString: strerror(errno)))")
      }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0, Self.names(path, descriptor) {
        self.descriptor = descriptor
        return
      }
      close(descriptor)
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  deinit { close(descriptor) }

  private static func names(_ path: String, _ descriptor: Int32) -> Bool {
    var opened = stat()
    var named = stat()
    return fstat(descriptor, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino
  }
}
