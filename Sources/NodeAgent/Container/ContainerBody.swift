// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// The body of a container's create request for a task, templates expanded: the mapping of swarm's section 4.4.
package struct ContainerBody: Sendable {
  let task: ClusterTask
  private(set) var spec: ContainerSpec
  let clusterID: String
  let context: TemplateContext
  /// Where it is on overlay networks, in the spec's order.
  let places: [OverlayPlace]
  let files: [FileMount]

  /// `context` names the node that the container is made on.
  package init(task: ClusterTask, clusterID: String, context: TemplateContext) {
    self.init(task: task, clusterID: clusterID, context: context, places: [], files: [])
  }

  init(task: ClusterTask, clusterID: String, context: TemplateContext, places: [OverlayPlace], files: [FileMount] = []) {
    self.places = places
    self.files = files
    self.task = task
    self.spec = task.template.spec.containerSpec ?? ContainerSpec(image: "")
    self.clusterID = clusterID
    self.context = context
  }

  /// Throws when a mount is none or a template cannot be expanded; the task is then rejected.
  package func json() throws(TaskFailure) -> JSONValue {
    // Before templates are expanded, as swarm does: a path must be seen to be one.
    for mount in spec.mounts ?? [] { try mount.check() }
    var body = self
    do { body.spec = try spec.expanded(context) } catch { throw TaskFailure(.unresolvable, "\(error)") }
    return body.expandedJSON
  }

  private var expandedJSON: JSONValue {
    var body = JSONFields()
    container(&body)
    process(&body)
    body["HostConfig"] = .object(hostConfig.object)
    body["NetworkingConfig"] = networking
    return .object(body.object)
  }

  private func container(_ body: inout JSONFields) {
    body.set("Hostname", spec.hostname)
    body["Env"] = JSONValue((spec.env ?? []) + resources)
    body["Image"] = .string(ImageReference(spec.image ?? "").normalized)
    body["Labels"] = JSONValue(labels)
    body["ExposedPorts"] = exposedPorts
    body["Healthcheck"] = healthcheck
  }

  private func process(_ body: inout JSONFields) {
    body.set("Entrypoint", spec.command)
    body.set("Cmd", spec.args)
    body.set("WorkingDir", spec.dir)
    body.set("User", spec.user)
    body.set("Tty", spec.tty)
    body.set("OpenStdin", spec.openStdin)
    body.set("StopSignal", spec.stopSignal)
    body.set("StopTimeout", spec.stopSeconds)
  }

  /// System labels win over the spec's.
  private var labels: [String: String] {
    var labels = spec.labels ?? [:]
    labels[Labels.cluster] = clusterID
    labels[Labels.swarmTask] = ""
    labels[Labels.swarmTaskID] = task.id
    labels[Labels.swarmTaskName] = task.name
    labels[Labels.swarmNodeID] = task.nodeID
    labels[Labels.swarmServiceID] = task.serviceID
    labels[Labels.swarmServiceName] = task.template.serviceName
    return labels
  }

  /// `DOCKER_RESOURCE_GPU=uuid-1,uuid-2`, or the count where the node's have no names.
  private var resources: [String] {
    Dictionary(grouping: task.genericResources, by: \.kind).sorted { $0.key < $1.key }.map { kind, assigned in
      "DOCKER_RESOURCE_\(kind.uppercased())=\(assigned.map(\.text).joined(separator: ","))"
    }
  }

  private var healthcheck: JSONValue? {
    guard let check = spec.healthcheck else { return nil }
    var fields = JSONFields()
    fields.set("Test", check.test)
    fields.set("Interval", check.interval)
    fields.set("Timeout", check.timeout)
    fields.set("StartPeriod", check.startPeriod)
    fields.set("StartInterval", check.startInterval)
    fields.set("Retries", check.retries)
    return .object(fields.object)
  }

  /// The first network, with the task's own address there; older engines take only one. It is connected to the others before it is
  /// started.
  private var networking: JSONValue? {
    if task.usesIngress, let address = task.ingressAddress {
      return ["EndpointsConfig": [IngressNetwork.name: ["IPAMConfig": ["IPv4Address": .string(address.description)]]]]
    }
    guard let first = places.first else { return nil }
    var endpoints = JSONObject()
    endpoints.append(first.engineName, first.settings)
    return ["EndpointsConfig": .object(endpoints)]
  }

  /// Those of its overlay networks that it is connected to after it was made.
  var laterPlaces: [OverlayPlace] { task.usesIngress ? places : Array(places.dropFirst()) }
}

extension ContainerSpec {
  /// Whole seconds between the stop signal and the kill, rounded up; `nil` leaves it to the engine.
  var stopSeconds: Int? {
    stopGracePeriod.map { Int(clamping: $0 / 1_000_000_000 + ($0 % 1_000_000_000 > 0 ? 1 : 0)) }
  }
}
