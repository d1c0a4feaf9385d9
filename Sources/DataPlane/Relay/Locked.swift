// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A value behind a lock that works on in a copy of the process (fork). `Synchronization.Mutex` does not: its word is the id of the
/// thread that holds it, as that thread once read it, and in the copy the thread has another; the first contention is its end.
///
/// Unchecked: the value is touched with the lock held only.
final class Locked<Value>: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private var value: Value

  init(_ value: sending Value) {
    mutex = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
    self.value = value
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  @inline(__always)
  func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body(&value)
  }
}
