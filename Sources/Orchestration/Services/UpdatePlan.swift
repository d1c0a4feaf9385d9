// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// Which slots of a service an update has still to touch, seen from the tasks alone.
struct UpdatePlan {
  /// Slots whose every live task is of an older spec, in order.
  private(set) var dirty: [SlotID] = []
  /// Slots whose new task is on its way.
  private(set) var inFlight: [SlotID] = []
  /// Live tasks that a ready newer one replaces.
  private(set) var superseded: [ClusterTask] = []

  var isEmpty: Bool { dirty.isEmpty && inFlight.isEmpty && superseded.isEmpty }

  init(_ view: ServiceView, _ transaction: borrowing Transaction) {
    let started = view.service.updateStatus?.startedAt ?? .zero
    var verdicts: [TaskTemplate.Key: Bool] = [:]
    for (slot, tasks) in view.sortedSlots {
      let live = tasks.filter(\.isLive)
      let old = live.filter { Self.isDirty($0, view.service, transaction, &verdicts) }
      let new = live.filter { !old.contains($0) }
      guard let newest = new.last else {
        if !old.isEmpty { dirty.append(slot) }
        continue
      }
      superseded += new.dropLast()
      if newest.isReady {
        superseded += old
      } else if !old.isEmpty || newest.createdAt >= started {
        inFlight.append(slot)
      }
    }
    // Without an update under way a slot that is merely starting is nobody's work.
    if !view.service.isUpdating, dirty.isEmpty, superseded.isEmpty { inFlight = [] }
  }

  /// Whether a task must be replaced to run the service's spec. A difference in placement alone does not matter while the node still
  /// satisfies the constraints.
  static func isDirty(
    _ task: ClusterTask, _ service: Service, _ transaction: borrowing Transaction, _ verdicts: inout [TaskTemplate.Key: Bool]
  ) -> Bool {
    let template = task.template
    guard template.key.specVersion != service.version else { return false }
    if let verdict = verdicts[template.key] { return verdict }
    var wanted = service.spec.taskTemplate
    let isEndpointSame = template.endpointSpec == service.spec.endpointSpec
    if isEndpointSame, template.spec == wanted {
      verdicts[template.key] = false
      return false
    }
    let placement = wanted.placement
    wanted.placement = template.spec.placement
    guard isEndpointSame, template.spec == wanted else {
      verdicts[template.key] = true
      return true
    }
    guard let node = transaction.node(task.nodeID) else { return true }
    return !Constraint.all(in: placement).allSatisfy { $0.matches(node) }
  }
}
