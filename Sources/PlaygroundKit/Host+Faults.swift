// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What happens to hosts, beside the ends of their programs.
extension Host {
  /// Cuts the host off from all others and the client. What runs on it goes on; its connections hear nothing. May be repeated.
  package func cut() async throws { try await network.connect(name, false).check() }

  /// Undoes `cut`. May be repeated.
  package func heal() async throws { try await network.connect(name, true).check() }

  /// Stops every process of the host and its containers where it stands, as a hypervisor does; the kernel goes on, so peers'
  /// connections stay open. May be repeated.
  package func pause() async throws {
    var stopped: Set<Int32> = []
    // A process may have been starting another: until a look finds nobody new.
    guard
      try await eventually(
        .seconds(10),
        { () -> Bool in
          let found = try Set(processes()).subtracting(stopped)
          for pid in found { _ = Glibc.kill(pid, SIGSTOP) }
          stopped.formUnion(found)
          return found.isEmpty
        })
    else { throw PlaygroundError(.notReady, "host \(name) starts processes faster than they can be stopped") }
  }

  /// Undoes `pause`.
  package func resume() throws {
    // Children first: nobody is to find a child of its own asleep.
    for pid in try processes().reversed() { _ = Glibc.kill(pid, SIGCONT) }
  }

  /// An orderly shutdown, and a start. Containers come back as their restart policies and skepd will have it.
  package func reboot() async throws {
    try await stop(.all)
    try await start()
  }

  private func processes() throws -> [Int32] {
    guard let hostInit = pid(of: .all) else { throw PlaygroundError(.notUp, "host \(name) is down") }
    return ProcessTable.descendants(of: hostInit, parents: ProcessTable.parents())
  }
}
