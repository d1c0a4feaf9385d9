// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ClusterModel

@Suite("Templates in specs")
struct TemplateTests {
  static let context: TemplateContext = {
    var context = TemplateContext(checking: ["a": "1", "b.c": "2"])
    context.hostname = "host-1"
    return context
  }()

  @Test(
    "are expanded as Go does",
    arguments: [
      ("plain", "plain"), ("}} {", "}} {"), ("{{.Service.Name}}-{{ .Task.Slot }}", "service-1"), ("{{.Node.Hostname}}", "host-1"),
      ("{{.Node.ID}}/{{.Node.Platform.OS}}/{{.Node.Platform.Architecture}}", "node/linux/x86_64"),
      ("{{.Task.ID}} {{.Task.Name}} {{.Service.ID}}", "task service.1.task service"),
      (#"{{index .Service.Labels "b.c"}}"#, "2"), ("{{index .Service.Labels `a`}}", "1"),
      (#"{{index .Service.Labels "none"}}"#, ""), ("{{.Service.Labels.a}}", "1"), ("{{.Service.Labels}}", "map[a:1 b.c:2]"),
      (#"{{join "-" .Node.ID .Task.Slot}}"#, "node-1"), (#"{{"a\"b"}}"#, "a\"b"), ("x {{- .Task.Slot -}} y", "x1y"),
      ("a{{/* note */}}b", "ab"),
    ])
  func expands(text: String, wanted: String) throws { #expect(try Template.expand(text, Self.context) == wanted) }

  @Test(
    "and refused where Go, or the part of it we have, refuses",
    arguments: [
      "{{", "{{.Nope}}", "{{.Service}}", "{{.Service.Labels.none}}", "{{}}", "{{.Task.ID", "{{nope}}", "{{env \"X\"}}",
      #"{{index .Task.ID "a"}}"#, "{{join}}", "{{.Task.ID .Task.Slot}}", "{{.Task.ID | print}}", "{{if .Task.ID}}x{{end}}",
      #"{{"open}}"#, "{{$x}}",
    ])
  func refuses(text: String) { #expect(throws: TemplateError.self) { try Template.expand(text, Self.context) } }
}
