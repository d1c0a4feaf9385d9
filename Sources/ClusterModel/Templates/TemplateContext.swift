// SPDX-License-Identifier: Apache-2.0

/// What a template of a container spec can name.
package struct TemplateContext: Sendable, Hashable {
  package var serviceID: String
  package var serviceName: String
  package var serviceLabels: [String: String]
  package var nodeID: String
  package var hostname: String
  package var platform: NodeDescription.Platform
  package var taskID: String
  package var taskName: String
  /// The slot's number, or the node's id for a task without one.
  package var slot: String

  package init(task: ClusterTask, hostname: String, platform: NodeDescription.Platform) {
    serviceID = task.serviceID
    serviceName = task.template.serviceName
    serviceLabels = task.template.serviceLabels
    nodeID = task.nodeID
    self.hostname = hostname
    self.platform = platform
    taskID = task.id
    taskName = task.name
    slot = task.shownSlot > 0 ? String(task.shownSlot) : task.nodeID
  }

  /// Invented values for every name: expanding a spec with it tells whether the spec's own templates are right. Labels stay real.
  package init(checking serviceLabels: [String: String]) {
    serviceID = "service"
    serviceName = "service"
    self.serviceLabels = serviceLabels
    nodeID = "node"
    hostname = "host"
    platform = NodeDescription.Platform(architecture: "x86_64", os: "linux")
    taskID = "task"
    taskName = "service.1.task"
    slot = "1"
  }

  /// What `.` is at the beginning.
  var root: TemplateValue {
    let architecture = TemplateValue.text(platform.architecture)
    return Self.object([
      ("Service", Self.object([("ID", .text(serviceID)), ("Name", .text(serviceName)), ("Labels", .map(serviceLabels))])),
      (
        "Node",
        Self.object([
          ("ID", .text(nodeID)), ("Hostname", .text(hostname)),
          ("Platform", Self.object([("Architecture", architecture), ("OS", .text(platform.os))])),
        ])
      ),
      ("Task", Self.object([("ID", .text(taskID)), ("Name", .text(taskName)), ("Slot", .text(slot))])),
    ])
  }

  private static func object(_ fields: [(String, TemplateValue)]) -> TemplateValue {
    .object(fields.map { TemplateValue.Field(name: $0, value: $1) })
  }
}
