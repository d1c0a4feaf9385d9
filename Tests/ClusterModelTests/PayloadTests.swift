// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ClusterModel

@Suite("Secrets and configs")
struct PayloadTests {
  private static let badName = SpecError.invalidArgument(
    "invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character must be [a-zA-Z0-9]")

  @Test("good names pass", arguments: ["a", "a.b-c_d", "0", String(repeating: "x", count: 64)])
  func goodNames(name: String) throws { try PayloadSpec(name: name).validate() }

  @Test(
    "bad names are refused in swarm's words",
    arguments: ["-a", "a-", ".a", "a b", "ä", "a/b", String(repeating: "x", count: 65)])
  func badNames(name: String) { #expect(throws: Self.badName) { try PayloadSpec(name: name).validate() } }

  @Test("a name is needed")
  func noName() {
    #expect(throws: SpecError.invalidArgument("name must be provided")) { try PayloadSpec(name: "").validate() }
  }

  @Test("sizes are bounded on both sides", arguments: [(PayloadKind.secret, 512_000), (.config, 1_024_000)])
  func sizes(kind: PayloadKind, limit: Int) throws {
    try kind.check(byteCount: 1)
    try kind.check(byteCount: limit - 1)
    let refusal = SpecError.invalidArgument("\(kind.rawValue) data must be larger than 0 and less than \(limit) bytes")
    for count in [0, limit] { #expect(throws: refusal) { try kind.check(byteCount: count) } }
  }

  @Test("data of any length comes back from base64", arguments: 0...70)
  func base64(length: Int) {
    let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 89 &+ 3) }
    let text = Base64.encode(bytes)
    #expect(text.utf8.count == (length + 2) / 3 * 4 && Base64.decode(text) == bytes)
    #expect(text.hasSuffix("==") == (length % 3 == 1))
  }

  private static func spec(_ json: String) throws -> ContainerSpec {
    try GoJSONDecoder(omitsEmpty: true).decode(ContainerSpec.self, from: Array(#"{"Image":"a",\#(json)}"#.utf8))
  }

  @Test("references are read and written as swarm has them")
  func references() throws {
    let text =
      #"{"Image":"a","Secrets":[{"File":{"Name":"s","UID":"1","GID":"2","Mode":256},"SecretID":"i","SecretName":"n"}],"#
      + #""Configs":[{"File":{"Name":"/c","UID":"0","GID":"0","Mode":292},"ConfigID":"j","ConfigName":"m"},"#
      + #"{"Runtime":{},"ConfigID":"k","ConfigName":"r"}]}"#
    let spec = try GoJSONDecoder(omitsEmpty: true).decode(ContainerSpec.self, from: Array(text.utf8))
    #expect(try GoJSONEncoder().encode(spec) == JSONValue(parsing: text))
    #expect(spec.payloadReferences.map(\.path) == ["/run/secrets/s", "/c", nil])
    #expect(spec.payloadReferences.map(\.id) == ["i", "j", "k"])
  }

  @Test("a config has its path from the root on")
  func configPath() {
    let reference = PayloadReference(kind: .config, id: "i", name: "n", file: FileTarget(name: "etc/app.conf"))
    #expect(reference.path == "/etc/app.conf")
  }

  private static let file = #""File":{"Name":"f"}"#

  @Test(
    "malformed references are refused in swarm's words",
    arguments: [
      (#""Secrets":[{"SecretName":"n",\#(file)}]"#, "malformed secret reference"),
      (#""Secrets":[{"SecretID":"i",\#(file)}]"#, "malformed secret reference"),
      (#""Secrets":[{"SecretID":"i","SecretName":"n"}]"#, "malformed secret reference, no target provided"),
      (
        #""Secrets":[{"SecretID":"i","SecretName":"n","File":{}}]"#,
        "malformed file secret reference, invalid target file name provided"
      ),
      (
        #""Secrets":[{"SecretID":"i","SecretName":"n",\#(file)},{"SecretID":"j","SecretName":"m",\#(file)}]"#,
        "secret references 'n' and 'm' have a conflicting target: 'f'"
      ),
      (#""Configs":[{"ConfigID":"i",\#(file)}]"#, "malformed config reference"),
      (
        #""Configs":[{"ConfigID":"i","ConfigName":"n",\#(file)},{"ConfigID":"i","ConfigName":"n",\#(file)}]"#,
        "config references 'n' and 'n' have a conflicting target: 'f'"
      ),
      (
        #""Privileges":{"CredentialSpec":{"Config":"i"}},"Configs":[{"ConfigID":"i","ConfigName":"n",\#(file)}]"#,
        "CredentialSpec references config 'i', but that config isn't in config references with RuntimeTarget"
      ),
    ])
  func malformed(json: String, text: String) throws {
    let spec = try Self.spec(json)
    #expect(throws: SpecError.invalidArgument(text)) { try spec.validatePayloadReferences() }
  }

  @Test("a secret and a config may have one name for their targets, and a credential spec its config")
  func wellFormed() throws {
    let spec = try Self.spec(
      #""Secrets":[{"SecretID":"i","SecretName":"n",\#(Self.file)}],"Privileges":{"CredentialSpec":{"Config":"k"}},"#
        + #""Configs":[{"ConfigID":"j","ConfigName":"m",\#(Self.file)},{"ConfigID":"k","ConfigName":"o","Runtime":{}}]"#)
    try spec.checkConfigTargets()
    try spec.validatePayloadReferences()
  }

  @Test(
    "a config has one target, no more and no less",
    arguments: [
      (#"{"ConfigID":"i"}"#, "either File or Runtime should be set"),
      (#"{"ConfigID":"i","Runtime":{},\#(file)}"#, "cannot specify both File and Runtime"),
    ])
  func targets(config: String, text: String) throws {
    let spec = try Self.spec(#""Configs":[\#(config)]"#)
    #expect(throws: SpecError("invalid Config: \(text)")) { try spec.checkConfigTargets() }
  }
}

@Suite("Secrets and configs that are templates")
struct PayloadTemplateTests {
  private static func expand(_ text: String) throws -> String {
    let template = TaskTemplate(
      key: .init(serviceID: "s1", specVersion: 1), serviceName: "web", serviceLabels: ["tier": "front"], spec: TaskSpec(),
      endpointSpec: nil, ports: [])
    let task = ClusterTask(
      id: "t1", template: template, slot: 2, nodeID: "n1", desiredState: .running,
      status: TaskStatus(state: .assigned, timestamp: .zero, message: ""), createdAt: .zero)
    let lookups = PayloadTemplate.Lookups(
      environment: ["A": "one"],
      secrets: { target throws(TemplateError) in
        guard target == "key" else { throw TemplateError("secret target \(target) not found") }
        return "hunter2"
      }, configs: { _ throws(TemplateError) in "{{not expanded}}" })
    return String(decoding: try PayloadTemplate.expand(Array(text.utf8), of: task, lookups), as: UTF8.self)
  }

  @Test(
    "have the task's values, its environment, and its other secrets and configs",
    arguments: [
      ("plain", "plain"), (#"{{env "A"}}{{env "B"}}."#, "one."), (#"k={{secret "key"}}"#, "k=hunter2"),
      (#"{{config "any"}}"#, "{{not expanded}}"), (#"{{"key" | secret | len}}"#, "7"),
      (#"{{.Service.Name}}.{{.Task.Slot}} {{index .Service.Labels "tier"}} {{.Node.ID}}"#, "web.2 front n1"),
      ("[{{.Node.Hostname}}{{.Node.Platform.OS}}]", "[]"), (#"{{if eq (env "A") "one"}}yes{{end}}"#, "yes"),
    ])
  func expands(text: String, wanted: String) throws { #expect(try Self.expand(text) == wanted) }

  @Test(
    "that cannot be expanded say why",
    arguments: [
      (#"{{secret "no"}}"#, #"executing "expansion" at <secret "no">: error calling secret: secret target no not found"#),
      ("{{env}}", "wrong number of args for env"), ("{{env 1}}", "wrong type for value; expected string; got int"),
      ("{{.Nope}}", "can't evaluate field Nope"), ("{{nope}}", #"function "nope" not defined"#), ("{{", "unclosed action"),
    ])
  func fails(text: String, reason: String) {
    let error = #expect(throws: TemplateError.self) { try Self.expand(text) }
    #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
  }

  @Test("never say what is in a secret", arguments: [#"{{range secret "key"}}{{end}}"#, #"{{secret "key" | secret}}"#])
  func silent(text: String) {
    let error = #expect(throws: TemplateError.self) { try Self.expand(text) }
    #expect(error?.message == "template: expansion: failed after a secret was read")
  }

  @Test("their functions are no spec's", arguments: ["env", "secret", "config"])
  func notInSpecs(function: String) {
    let error = #expect(throws: TemplateError.self) {
      try Template.expand(#"{{\#(function) "key"}}"#, TemplateContext(checking: [:]))
    }
    #expect(error?.message.contains(#"function "\#(function)" not defined"#) == true)
  }

  @Test("are text")
  func binary() {
    let lookups = PayloadTemplate.Lookups(
      environment: [:], secrets: { _ throws(TemplateError) in "" }, configs: { _ throws(TemplateError) in "" })
    let template = TaskTemplate(
      key: .init(serviceID: "s", specVersion: 1), serviceName: "s", serviceLabels: [:], spec: TaskSpec(), endpointSpec: nil,
      ports: [])
    let task = ClusterTask(
      id: "t", template: template, slot: 1, desiredState: .running,
      status: TaskStatus(state: .assigned, timestamp: .zero, message: ""), createdAt: .zero)
    #expect(throws: TemplateError.self) { try PayloadTemplate.expand([0xFF], of: task, lookups) }
  }
}
