// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Identity

enum Fixtures {
  static let cluster = "cluster1"
  static let node = "node1"
  static let sealer = SealingKey.make()
  static let subnet = IPv4Subnet("10.0.1.0/24")

  static func template(
    image: String = "web:1", labels: [String: String] = [:], ports: [PortConfig] = [],
    _ change: (inout TaskSpec) -> Void = { _ in }
  ) -> TaskTemplate {
    var spec = TaskSpec(containerSpec: ContainerSpec(image: image))
    change(&spec)
    return TaskTemplate(
      key: .init(serviceID: "service1", specVersion: 1), serviceName: "web", serviceLabels: labels, spec: spec,
      endpointSpec: nil, ports: ports)
  }

  static func task(
    _ id: String = "task1", slot: Int = 1, desired: TaskState = .running, state: TaskState = .assigned, message: String = "",
    address: String? = nil, template: TaskTemplate = Fixtures.template(), jobIteration: UInt64? = nil
  ) -> ClusterTask {
    var task = ClusterTask(
      id: id, template: template, slot: slot, nodeID: node, desiredState: desired,
      status: TaskStatus(state: state, timestamp: .zero, message: message), jobIteration: jobIteration, createdAt: .zero)
    task.ingressAddress = address.flatMap { IPv4Address($0) }
    return task
  }

  static let webPort = PortConfig(targetPort: 80, publishedPort: 8080)
}

/// What a sequence test compares: an action without the times and details that the test does not speak of.
extension TaskStatus {
  var brief: String {
    "\(state.name) '\(message)'" + (err.isEmpty ? "" : " err '\(err)'") + (isReady ? " ready" : "")
  }
}
