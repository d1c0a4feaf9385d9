// SPDX-License-Identifier: Apache-2.0

extension ContainerSpec {
  /// The spec with its templates expanded: values of the environment, mounts, the host name. Swarm expands nothing else.
  package func expanded(_ context: TemplateContext) throws(TemplateError) -> ContainerSpec {
    var spec = self
    spec.env = try Self.each(env) { entry throws(TemplateError) in try Self.variable(entry, context) }
    spec.mounts = try Self.each(mounts) { mount throws(TemplateError) in try mount.expanded(context) }
    if let hostname {
      spec.hostname = try TemplateError.explained("expanding hostname failed") { () throws(TemplateError) in
        try Template.expand(hostname, context)
      }
    }
    return spec
  }

  private static func each<Item>(
    _ items: [Item]?, _ body: (Item) throws(TemplateError) -> Item
  ) throws(TemplateError) -> [Item]? {
    guard var items else { return nil }
    for index in items.indices { items[index] = try body(items[index]) }
    return items
  }

  // Only the value is a template, not the name.
  private static func variable(_ entry: String, _ context: TemplateContext) throws(TemplateError) -> String {
    guard let equals = entry.firstIndex(of: "=") else { return entry }
    let value = String(entry[entry.index(after: equals)...])
    return try TemplateError.explained("expanding env failed: expanding env \(entry.goQuoted)") { () throws(TemplateError) in
      entry[...equals] + (try Template.expand(value, context))
    }
  }
}

extension Mount {
  fileprivate func expanded(_ context: TemplateContext) throws(TemplateError) -> Mount {
    var mount = self
    mount.source = try Self.expand(source, "mount source", context)
    mount.target = try Self.expand(target, "mount target", context)
    mount.volumeOptions?.labels = try Self.expand(volumeOptions?.labels, "volume labels", context)
    mount.volumeOptions?.driverConfig?.options = try Self.expand(
      volumeOptions?.driverConfig?.options, "volume driver config", context)
    return mount
  }

  private static func expand(
    _ text: String?, _ what: String, _ context: TemplateContext
  ) throws(TemplateError) -> String? {
    guard let text else { return nil }
    return try TemplateError.explained("expanding mounts failed: expanding \(what) \(text.goQuoted)") {
      () throws(TemplateError) in try Template.expand(text, context)
    }
  }

  private static func expand(
    _ map: [String: String]?, _ what: String, _ context: TemplateContext
  ) throws(TemplateError) -> [String: String]? {
    guard var map else { return nil }
    for (key, value) in map {
      map[key] = try TemplateError.explained("expanding mounts failed: expanding \(what)") { () throws(TemplateError) in
        try Template.expand(value, context)
      }
    }
    return map
  }
}

extension TemplateError {
  fileprivate static func explained<Value>(
    _ what: String, _ body: () throws(TemplateError) -> Value
  ) throws(TemplateError) -> Value {
    do { return try body() } catch { throw error.during(what) }
  }
}
