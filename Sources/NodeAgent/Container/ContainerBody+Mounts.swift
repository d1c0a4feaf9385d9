// SPDX-License-Identifier: Apache-2.0

import ClusterModel

extension ContainerBody {
  func mounts() throws(TemplateError) -> JSONValue? {
    var result: [JSONValue] = []
    for mount in spec.mounts ?? [] { result.append(try json(mount)) }
    return result.isEmpty ? nil : .array(result)
  }

  private func json(_ mount: Mount) throws(TemplateError) -> JSONValue {
    var fields = JSONFields()
    fields["Type"] = .string(mount.type ?? "bind")
    fields.set("Source", try expand(mount.source))
    fields.set("Target", try expand(mount.target))
    fields.set("ReadOnly", mount.readOnly)
    fields.set("Consistency", mount.consistency)
    fields["BindOptions"] = mount.bindOptions.map(Self.json)
    fields["VolumeOptions"] = try volumeOptions(mount.volumeOptions)
    fields["TmpfsOptions"] = mount.tmpfsOptions.map(Self.json)
    return .object(fields.object)
  }

  private static func json(_ options: Mount.BindOptions) -> JSONValue {
    var fields = JSONFields()
    fields.set("Propagation", options.propagation)
    fields.set("NonRecursive", options.nonRecursive)
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
  private func volumeOptions(_ options: Mount.VolumeOptions?) throws(TemplateError) -> JSONValue? {
    guard let options else { return nil }
    var fields = JSONFields()
    fields.set("NoCopy", options.noCopy)
    fields.set("Labels", try expand(options.labels))
    fields.set("Subpath", options.subpath)
    if let driver = options.driverConfig {
      var config = JSONFields()
      config.set("Name", driver.name)
      config.set("Options", try expand(driver.options))
      fields["DriverConfig"] = .object(config.object)
    }
    return .object(fields.object)
  }

  private func expand(_ text: String?) throws(TemplateError) -> String? {
    guard let text else { return nil }
    return try Template.expand(text, context)
  }

  private func expand(_ map: [String: String]?) throws(TemplateError) -> [String: String]? {
    guard var map else { return nil }
    for (key, value) in map { map[key] = try Template.expand(value, context) }
    return map
  }
}
