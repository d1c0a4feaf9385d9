// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// The body of a secret's or a config's create and update.
struct PayloadRequest: Sendable {
  let name: String
  let labels: [String: String]
  /// `nil` when the body has none; no bytes are none, as they are in swarm's messages.
  let data: [UInt8]?
  private let driver: PayloadSpec.Driver?
  private let templating: PayloadSpec.Driver?
  private let kind: PayloadKind

  private struct Body: Decodable {
    var name: String?
    var labels: [String: String]?
    var data: String?
    var driver: PayloadSpec.Driver?
    var templating: PayloadSpec.Driver?
  }

  init(_ call: Call, kind: PayloadKind) throws {
    let body = try call.decode(Body.self)
    self.kind = kind
    name = body.name ?? ""
    labels = body.labels ?? [:]
    data = try body.data.map(Self.bytes).flatMap { $0.isEmpty ? nil : $0 }
    driver = kind == .secret ? body.driver : nil
    templating = body.templating
  }

  func checkVersion(_ version: APIVersion) throws(APIError) {
    guard templating != nil, version < APIVersion(1, 37) else { return }
    throw .badRequest("\(kind.rawValue) templating is not supported on the specified API version: \(version)")
  }

  /// Checked, data included. A driver is a plugin, of which there are none.
  func spec() throws(SpecError) -> PayloadSpec {
    let spec = PayloadSpec(name: name, labels: labels, templating: templating)
    try spec.validate()
    if let driver {
      let name = driver.name ?? ""
      if name.isEmpty { throw .invalidArgument("secret driver must have a name") }
      throw SpecError(rpc: .unknown, "plugin \(name.goQuoted) not found")
    }
    try kind.check(byteCount: data?.count ?? 0)
    return spec
  }

  private static func bytes(_ text: String) throws(APIError) -> [UInt8] {
    if let bytes = Base64.decode(text) { return bytes }
    let start = text.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "+" || $0 == "/") }
    throw .badRequest("invalid JSON: illegal base64 data at input byte \(start.count)")
  }
}
