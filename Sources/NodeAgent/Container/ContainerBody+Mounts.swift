// SPDX-License-Identifier: Apache-2.0

import ClusterModel

extension ContainerBody {
  var mounts: JSONValue? {
    let mounts = (spec.mounts ?? []).map(Self.json) + files.map(Self.json)
    return mounts.isEmpty ? nil : .array(mounts)
  }

  private static func json(_ mount: Mount) -> JSONValue {
    var fields = JSONFields()
    fields["Type"] = .string(mount.type ?? "bind")
    fields.set("Source", mount.source)
    fields.set("Target", mount.target)
    fields.set("ReadOnly", mount.readOnly)
    fields["BindOptions"] = mount.bindOptions.map(json)
    fields["VolumeOptions"] = mount.volumeOptions.map(json)
    fields["TmpfsOptions"] = mount.tmpfsOptions.map(json)
    return .object(fields.object)
  }

  private static func json(_ file: FileMount) -> JSONValue {
    ["Type": "bind", "Source": .string(file.source), "Target": .string(file.target), "ReadOnly": true]
  }

  private static func json(_ options: Mount.BindOptions) -> JSONValue {
    var fields = JSONFields()
    fields.set("Propagation", options.propagation)
    fields.set("NonRecursive", options.nonRecursive)
    fields.set("CreateMountpoint", options.createMountpoint)
    fields.set("ReadOnlyNonRecursive", options.readOnlyNonRecursive)
    fields.set("ReadOnlyForceRecursive", options.readOnlyForceRecursive)
    return .object(fields.object)
  }

  private static func json(_ options: Mount.TmpfsOptions) -> JSONValue {
    var fields = JSONFields()
    fields.set("SizeBytes", options.sizeBytes)
    fields.set("Mode", options.mode)
    fields["Options"] = options.options.map { .array($0.map { JSONValue($0) }) }
    return .object(fields.object)
  }

  /// With them the engine makes the volume itself, by name, if it is not there.
  private static func json(_ options: Mount.VolumeOptions) -> JSONValue {
    var fields = JSONFields()
    fields.set("NoCopy", options.noCopy)
    fields.set("Labels", options.labels)
    fields.set("Subpath", options.subpath)
    if let driver = options.driverConfig {
      var config = JSONFields()
      config.set("Name", driver.name)
      config.set("Options", driver.options)
      fields["DriverConfig"] = .object(config.object)
    }
    return .object(fields.object)
  }
}

extension Mount {
  /// Swarm's own checks: the engine would take a path for a volume's name, and the other way round.
  func check() throws(TaskFailure) {
    let (source, target) = (source ?? "", target ?? "")
    guard target.hasPrefix("/") else {
      throw TaskFailure(.unresolvable, "invalid mount target, must be an absolute path: \(target)")
    }
    switch type {
    case "volume" where source.hasPrefix("/"):
      throw TaskFailure(.unresolvable, "invalid volume mount source, must not be an absolute path: \(source)")
    case "tmpfs" where !source.isEmpty: throw TaskFailure(.unresolvable, "invalid tmpfs source, source must be empty")
    case "volume", "tmpfs": break
    default:
      guard source.hasPrefix("/") else {
        throw TaskFailure(.unresolvable, "invalid bind mount source, must be an absolute path: \(source)")
      }
    }
  }
}
