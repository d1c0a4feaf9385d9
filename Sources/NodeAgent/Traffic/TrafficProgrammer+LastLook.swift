// SPDX-License-Identifier: Apache-2.0

import ClusterModel

extension TrafficProgrammer {
  /// Before a task stops because the managers heard that nothing is open to it. An attempt that was on its way to it when that was
  /// counted may have become a connection since, where no relay knows of it: so the task takes no more, and what has come is waited
  /// for, for `patience` at most. Who is refused tries again after a second, and gets another task.
  func seeOut(
    _ task: String, at address: IPv4Address?, patience: Duration, _ locate: @escaping SocketCounter.Locate
  ) async {
    guard let ports = state.takeDrained(task), let network = await sockets.shut(task, locate) else { return }
    let end = clock.now().uptime + patience
    repeat {
      do { try await clock.sleep(Self.secondLook) } catch { return }
      guard let open = try? await network.openConnections(to: ports) else { return }
      if open > 0 { continue }
      if let address { await plane.forget(address) }
      return
    } while clock.now().uptime < end
  }
}
