// SPDX-License-Identifier: Apache-2.0

import ClusterModel

extension ServiceSpec {
  /// Reads a body as a client of `version` means it: fields that its version does not know are dropped.
  init(body: JSONValue, version: APIVersion) throws {
    // Empty lists and texts are absent ones.
    self = try GoJSONDecoder(omitsEmpty: true).decode(ServiceSpec.self, from: body)
    if version < APIVersion(1, 44), taskTemplate.networks?.isEmpty ?? true,
      let networks = body.objectValue?.member(ignoringCase: "Networks"), !networks.isNull
    {
      let given = try GoJSONDecoder(omitsEmpty: true).decode([TaskSpec.Network].self, from: networks)
      taskTemplate.networks = given.isEmpty ? nil : given
    }
    drop(unknownTo: version)
  }

  private mutating func drop(unknownTo version: APIVersion) {
    if version < APIVersion(1, 41) {
      mode.replicatedJob = nil
      mode.globalJob = nil
      taskTemplate.resources?.limits?.pids = nil
    }
    if version < APIVersion(1, 40) { taskTemplate.placement?.maxReplicas = nil }
    // Known from 1.52 on, which is above what we speak.
    taskTemplate.resources?.swapBytes = nil
    taskTemplate.resources?.memorySwappiness = nil
    taskTemplate.containerSpec?.drop(unknownTo: version)
  }
}

extension ContainerSpec {
  fileprivate mutating func drop(unknownTo version: APIVersion) {
    if version < APIVersion(1, 40) {
      sysctls = nil
      privileges?.credentialSpec?.config = ""
      for index in (configs ?? []).indices { configs?[index].runtime = nil }
    }
    if version < APIVersion(1, 41) {
      capabilityAdd = nil
      capabilityDrop = nil
      ulimits = nil
    }
    if version < APIVersion(1, 44) {
      healthcheck?.startInterval = nil
      privileges?.seccomp = nil
      privileges?.appArmor = nil
      privileges?.noNewPrivileges = false
    }
    if version < APIVersion(1, 46) { oomScoreAdj = nil }
    mounts = mounts?.map { $0.dropping(unknownTo: version) }
  }
}

extension Mount {
  fileprivate func dropping(unknownTo version: APIVersion) -> Mount {
    var mount = self
    if version < APIVersion(1, 41) { mount.bindOptions?.nonRecursive = nil }
    if version < APIVersion(1, 42) { mount.bindOptions?.createMountpoint = nil }
    if version < APIVersion(1, 44) {
      mount.bindOptions?.readOnlyNonRecursive = nil
      mount.bindOptions?.readOnlyForceRecursive = nil
    }
    if version < APIVersion(1, 46) { mount.tmpfsOptions?.options = nil }
    return mount
  }
}
