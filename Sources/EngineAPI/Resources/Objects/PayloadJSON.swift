// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// Secrets and configs as the Engine API shows them.
package enum PayloadJSON {
  /// `data` is a config's; a secret's is not shown.
  package static func value(_ payload: Payload, data: [UInt8]?) throws -> JSONValue {
    var object = ObjectJSON.head(
      id: payload.id, version: payload.version, createdAt: payload.createdAt, updatedAt: payload.updatedAt)
    var spec = JSONObject()
    spec.append("Name", .string(payload.name))
    spec.append("Labels", JSONValue(payload.spec.labels))
    if let data, payload.kind == .config { spec.append("Data", .string(Base64.encode(data))) }
    if let templating = payload.spec.templating { spec.append("Templating", try GoJSONEncoder().encode(templating)) }
    object.append("Spec", .object(spec))
    return .object(object)
  }
}
