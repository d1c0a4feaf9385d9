// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// Containers on overlay networks: what is done inside of them, once they run.
extension NodeAgent {
  var containersOnOverlays: Set<OverlayContainer> {
    var found = guests
    for (id, controller) in controllers where !controller.task.addresses.isEmpty {
      guard let container = controller.container, container.phase == .running, container.pid > 0 else { continue }
      let nameservers = controller.task.template.spec.containerSpec?.dnsConfig?.nameservers ?? []
      found.insert(OverlayContainer(id: id, process: container.pid, nameservers: nameservers))
    }
    return found
  }

  /// One after the other, so that the last told is the newest.
  func attendContainers() async {
    for await _ in attendWakes {
      let containers = containersOnOverlays
      guard containers != attended else { continue }
      attended = containers
      await networks.attend(containers)
    }
  }

  /// Parts of networks that no task of this node is on any more.
  func removeUnusedOverlays() async {
    guard assigned != nil else { return }
    await calls?.removeOverlays { await self.usedOverlays }
  }

  private var usedOverlays: Set<String> {
    Set(controllers.values.flatMap { $0.task.addresses.map(\.networkID) }).union(attaching.keys).union(overlays.keys)
  }
}
