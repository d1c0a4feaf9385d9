// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ClusterModel

@Suite("Templates in specs")
struct TemplateTests {
  static let context: TemplateContext = {
    var context = TemplateContext(checking: ["a": "1", "b.c": "<2>"])
    context.hostname = "host-1"
    return context
  }()

  @Test(
    "are expanded as Go does",
    arguments: [
      ("plain", "plain"), ("}} {", "}} {"), ("{{.Service.Name}}-{{ .Task.Slot }}", "service-1"), ("{{.Node.Hostname}}", "host-1"),
      ("{{.Node.ID}}/{{.Node.Platform.OS}}/{{.Node.Platform.Architecture}}", "node/linux/x86_64"),
      ("{{.Task.ID}} {{.Task.Name}} {{.Service.ID}}", "task service.1.task service"),
      (#"{{index .Service.Labels "b.c"}}"#, "<2>"), ("{{index .Service.Labels `a`}}", "1"),
      (#"{{index .Service.Labels "none"}}"#, ""), ("{{.Service.Labels.a}}", "1"), ("{{.Service.Labels}}", "map[a:1 b.c:<2>]"),
      (#"{{join "-" .Node.ID .Task.Slot}}"#, "node-1"), (#"{{"a\"b"}}"#, "a\"b"), ("x {{- .Task.Slot -}} y", "x1y"),
      ("a{{/* note */}}b", "ab"), ("a {{- /* }} */ -}} b", "ab"), ("{{.Node}}", "{node host-1 {x86_64 linux}}"),
      (#"{{"}}"}}"#, "}}"), ("{{`a`}}{{1}} {{-2}} {{0x10}} {{1_000}} {{1.5}} {{true}} {{'a'}}", "a1 -2 16 1000 1.5 true 97"),
    ])
  func expands(text: String, wanted: String) throws { #expect(try Template.expand(text, Self.context) == wanted) }

  @Test(
    "have Go's pipelines and functions",
    arguments: [
      (#"{{.Task.Slot | printf "%03s"}}"#, "001"), (#"{{(index .Service.Labels "b.c") | html}}"#, "&lt;2&gt;"),
      (#"{{printf "%s-%d-%v-%q-%t" .Service.Name 3 true "x" false}}"#, #"service-3-true-"x"-false"#),
      (
        #"{{printf "%5s|%-5s|%05d|%+d|%x|%X|%o|%b|%c|%.2f|%.3s|%%" "a" "b" -42 7 255 255 8 5 97 1.5 "abcdef"}}"#,
        "    a|b    |-0042|+7|ff|FF|10|101|a|1.50|abc|%"
      ),
      (#"{{printf "%d %s" "x"}}"#, "%!d(string=x) %!s(MISSING)"), (#"{{printf "a" 1 "b"}}"#, "a%!(EXTRA int=1, string=b)"),
      (#"{{printf "%x %v" "az" .Service.Labels}}"#, "617a map[a:1 b.c:<2>]"), (#"{{printf "100%"}}"#, "100%!(NOVERB)"),
      ("{{len .Service.Name}} {{len .Service.Labels}}", "7 2"), (#"{{print 1 2 "a" 3 true}}"#, "1 2a3 true"),
      (#"{{println "a" 1}}"#, "a 1\n"), (#"{{urlquery "a b&c/ü"}}"#, "a+b%26c%2F%C3%BC"),
      (#"{{js "it's <b>"}}"#, #"it\'s \u003Cb\u003E"#),
      ("{{slice .Service.Name 1 3}}{{slice .Service.Name 5}}", "erce"), (#"{{index "abc" 1}}"#, "98"),
      (#"{{eq 1 2 1}} {{ne "a" "b"}} {{lt 1 2}} {{le 2 2}} {{gt "b" "a"}} {{ge 1.5 2.5}}"#, "true true true true true false"),
      (#"{{and 1 "" .Nope}}|{{or "" "b"}}|{{not ""}}"#, "|b|true"), (#"{{$a := "q"}}{{$a}}{{$a = "r"}}{{$a}}"#, "qr"),
      ("{{$.Task.Slot}} {{$n := .Node}}{{$n.Platform.OS}} {{(.Node).ID}}", "1 linux node"),
    ])
  func functions(text: String, wanted: String) throws { #expect(try Template.expand(text, Self.context) == wanted) }

  @Test(
    "have Go's conditions and loops",
    arguments: [
      (#"{{if eq .Task.Slot "1"}}first{{else}}other{{end}}"#, "first"),
      (#"{{if eq .Task.Slot "2"}}two{{else if .Task.ID}}id{{else}}x{{end}}"#, "id"),
      ("{{if .Service.Labels}}{{with .Service.Name}}{{.}}{{end}}{{end}}", "service"), (#"{{with ""}}a{{else}}b{{end}}"#, "b"),
      ("{{range $k, $v := .Service.Labels}}{{$k}}={{$v}};{{end}}", "a=1;b.c=<2>;"),
      ("{{range .Service.Labels}}{{.}},{{end}}", "1,<2>,"),
      ("{{range $k, $v := .Service.Labels}}{{if eq $k \"a\"}}{{continue}}{{end}}{{$k}}{{end}}", "b.c"),
      ("{{range .Service.Labels}}{{.}}{{break}}no{{end}}!", "1!"),
      ("{{range .Service.Labels}}{{range $.Service.Labels}}{{.}}{{break}}{{end}};{{end}}", "1;1;"),
      ("{{with $x := .Node}}{{$x.ID}}{{.Hostname}}{{end}}", "nodehost-1"), ("{{if false}}a{{end}}b", "b"),
      (#"{{$a := "x"}}{{if true}}{{$a = "y"}}{{end}}{{$a}}"#, "y"), ("{{if and (eq 1 1) (not false)}}both{{end}}", "both"),
    ])
  func control(text: String, wanted: String) throws { #expect(try Template.expand(text, Self.context) == wanted) }

  @Test("a loop over nothing takes the other way")
  func empty() throws {
    #expect(try Template.expand("{{range .Service.Labels}}x{{else}}none{{end}}", TemplateContext(checking: [:])) == "none")
  }

  @Test(
    "and refused where Go, or the part of it we have, refuses",
    arguments: [
      "{{", "{{.Nope}}", "{{.Service.Labels.none}}", "{{}}", "{{.Task.ID", "{{nope}}", "{{env \"X\"}}", "{{.Task.ID.X}}",
      #"{{index .Task.ID "a"}}"#, "{{join}}", "{{.Task.ID .Task.Slot}}", "{{.Task.ID | .Task.Slot}}", "{{if .Task.ID}}x",
      #"{{"open}}"#, "{{$x}}", "{{nil}}", "{{end}}", "{{else}}", "{{if}}x{{end}}", "{{range .Task.ID}}x{{end}}", "{{(.Task.ID}}",
      "{{.Task.ID)}}", "{{eq 1 \"1\"}}", "{{lt true false}}", "{{len 5}}", "{{slice .Task.ID 9}}", "{{index \"a\" 5}}",
      "{{define \"x\"}}{{end}}",
      "{{break}}", "{{continue}}", "{{range .Service.Labels}}{{else}}{{break}}{{end}}", "{{template \"x\"}}",
      "{{block \"x\" .}}{{end}}", "{{$a = 1}}", "{{.Task..ID}}", "{{1x}}", "{{#}}", "{{.Task.ID |}}",
      "{{if 1}}a{{else}}b{{else}}c{{end}}",
      "{{not}}",
      "{{$a, $b := 1}}", "{{'ab'}}", #"{{"\z"}}"#, "{{/* open }}",
    ])
  func refuses(text: String) { #expect(throws: TemplateError.self) { try Template.expand(text, Self.context) } }

  @Test("a word out of place is named as it is written", arguments: ["|", ",", "=", ":="])
  func misplaced(sign: String) {
    let text = sign == "|" ? "{{| 1}}" : "{{1 \(sign) 2}}"
    let reason = sign == "|" ? "missing value for command" : "unexpected \"\(sign)\" in operand"
    #expect(throws: TemplateError("template: expansion:1: \(reason)")) { try Template.expand(text, Self.context) }
  }

  @Test(
    "and where they would not end or not fit",
    arguments: [
      String(repeating: "{{range .Service.Labels}}", count: 40) + String(repeating: "{{end}}", count: 40),
      String(repeating: "{{if 1}}", count: 10_000), "{{" + String(repeating: "(", count: 10_000),
      String(repeating: #"{{printf "%9999s" "x"}}"#, count: 200),
    ])
  func bounds(text: String) { #expect(throws: TemplateError.self) { try Template.expand(text, Self.context) } }
}
