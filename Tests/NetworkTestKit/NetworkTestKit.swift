// SPDX-License-Identifier: Apache-2.0

import CLinux
import Foundation
import Glibc

/// The machine gave no network: the test cannot be run, and must not be in the machine's own.
package struct NoNetwork: Error, CustomStringConvertible {
  let errno: Int32

  package var description: String { "no network namespace: \(String(cString: strerror(errno)))" }
}

/// Runs the body on a thread with a network of its own, so that this machine's is not touched.
package func inNamespaceOfItsOwn<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread {
      continuation.resume(
        with: Result {
          try leaveNetwork()
          return try body()
        })
    }
  }
}

/// The calling thread has a network of its own from now on.
func leaveNetwork() throws {
  let result = cl_unshare_network()
  guard result == 0 else { throw NoNetwork(errno: -result) }
}
