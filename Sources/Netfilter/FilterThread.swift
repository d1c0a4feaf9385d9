// SPDX-License-Identifier: Apache-2.0

import CLinux
import Dispatch
import Glibc
import Synchronization

/// The thread on which all of libnftables runs, with descriptors of its own: the library waits with `select`, which ends the program
/// when a descriptor is 1,024 or more, and this program may have many more. None of the program's other descriptors are there.
final class FilterThread: Sendable {
  static let shared = started()
  /// Beyond, the library must not get one.
  static let highestDescriptor: Int32 = 1_023

  private typealias Job = @Sendable () -> Void
  /// Callers wait for theirs, so there are never more than threads. `nil` when there is no thread for them.
  private let jobs = Mutex<[Job]?>([])
  private let waiting = DispatchSemaphore(value: 0)

  private static func started() -> FilterThread {
    let shared = FilterThread()
    var (attributes, thread) = (pthread_attr_t(), pthread_t())
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    defer { pthread_attr_destroy(&attributes) }
    // The retain is the thread's, which never ends.
    let argument = Unmanaged.passRetained(shared)
    let result = pthread_create(
      &thread, &attributes,
      { argument in
        if let argument { Unmanaged<FilterThread>.fromOpaque(argument).takeRetainedValue().work() }
        return nil
      }, argument.toOpaque())
    if result != 0 { argument.takeRetainedValue().jobs.withLock { $0 = nil } }
    return shared
  }

  private func work() {
    // A kernel that cannot (before 5.9) leaves them shared.
    _ = cl_own_descriptors()
    while true {
      waiting.wait()
      jobs.withLock { $0?.isEmpty == false ? $0?.removeFirst() : nil }?()
    }
  }

  /// Waits for it.
  func run<Value: Sendable>(_ body: @escaping @Sendable () throws(NetfilterError) -> Value) throws(NetfilterError) -> Value {
    let outcome = Outcome<Value>()
    let job: Job = { outcome.set(Result(catching: body)) }
    guard jobs.withLock({ $0?.append(job) }) != nil else { return try body() }
    waiting.signal()
    return try outcome.get()
  }

  private final class Outcome<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, NetfilterError>?>(nil)
    private let isThere = DispatchSemaphore(value: 0)

    func set(_ result: Result<Value, NetfilterError>) {
      self.result.withLock { $0 = result }
      isThere.signal()
    }

    func get() throws(NetfilterError) -> Value {
      isThere.wait()
      guard let result = result.withLock({ $0 }) else { throw NetfilterError(.system, "the thread of nftables said nothing") }
      return try result.get()
    }
  }
}
