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
    slot = task.slot > 0 ? String(task.slot) : task.nodeID
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

  func value(at path: [String]) -> TemplateValue? {
    switch path {
    case ["Service", "ID"]: .text(serviceID)
    case ["Service", "Name"]: .text(serviceName)
    case ["Service", "Labels"]: .map(serviceLabels)
    case ["Node", "ID"]: .text(nodeID)
    case ["Node", "Hostname"]: .text(hostname)
    case ["Node", "Platform", "Architecture"]: .text(platform.architecture)
    case ["Node", "Platform", "OS"]: .text(platform.os)
    case ["Task", "ID"]: .text(taskID)
    case ["Task", "Name"]: .text(taskName)
    case ["Task", "Slot"]: .text(slot)
    // A label whose name is an identifier can be written as a field of the map.
    case let path where path.count == 3 && path.starts(with: ["Service", "Labels"]): serviceLabels[path[2]].map { .text($0) }
    default: nil
    }
  }
}

enum TemplateValue: Hashable {
  case text(String)
  case map([String: String])

  /// As Go prints it.
  var text: String {
    switch self {
    case .text(let text): text
    case .map(let map): "map[" + map.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: " ") + "]"
    }
  }
}
