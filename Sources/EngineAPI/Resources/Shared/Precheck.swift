// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC

/// What swarm mode's front end reads of a request before it asks for a manager. Run only where there is none: otherwise the handlers
/// find the same, in the same order.
enum Precheck {
  static func swarm(_ call: Call) throws {
    _ = try call.decode(ClusterSpec.self)
    _ = try call.objectVersion(of: "swarm")
    _ = try ClusterResource.Rotation(call)
  }

  static func list(_ call: Call) throws { _ = try Filters(call.query["filters"]) }

  static func services(_ call: Call) throws {
    try list(call)
    if call.version >= APIVersion(1, 41) { _ = try call.strictFlag("status", withReason: true) }
  }

  static func service(_ call: Call) throws { _ = try ServiceSpec(body: try call.json(), version: call.version) }

  static func inspect(_ call: Call) throws { _ = try call.strictFlag("insertDefaults", withReason: true) }

  static func update(_ call: Call) throws {
    try service(call)
    _ = try call.objectVersion(of: "service")
  }

  static func node(_ call: Call) throws {
    _ = try call.decode(NodeSpec.self)
    _ = try call.objectVersion(of: "node")
  }

  static func logs(_ call: Call) throws { _ = try ClusterRPC.LogOptions(call.query) }

  static func body(_ call: Call) throws { _ = try call.json() }
}
