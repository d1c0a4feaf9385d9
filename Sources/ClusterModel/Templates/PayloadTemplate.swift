// SPDX-License-Identifier: Apache-2.0

/// A secret or a config that each task has in a form of its own.
package struct PayloadTemplate: Sendable {
  /// The one driver there is.
  package static let driver = "golang"

  /// What a payload's template can name beside what a spec's can. Texts are found by the target that the task has them under.
  package struct Lookups: Sendable {
    package var environment: [String: String]
    package var secrets: @Sendable (_ target: String) throws(TemplateError) -> String
    package var configs: @Sendable (_ target: String) throws(TemplateError) -> String

    package init(
      environment: [String: String], secrets: @escaping @Sendable (_ target: String) throws(TemplateError) -> String,
      configs: @escaping @Sendable (_ target: String) throws(TemplateError) -> String
    ) {
      self.environment = environment
      self.secrets = secrets
      self.configs = configs
    }
  }

  static let functions: Set<String> = ["config", "env", "secret"]

  /// `data` expanded. As in swarm, of the node only the id is known.
  package static func expand(_ data: [UInt8], of task: ClusterTask, _ lookups: Lookups) throws(TemplateError) -> [UInt8] {
    guard let text = String(validating: data, as: UTF8.self) else { throw TemplateError("template: expansion: not UTF-8") }
    let root = TemplateContext(task: task, hostname: "", platform: .init(architecture: "", os: "")).root
    var run = TemplateRun(root: root, lookups: lookups)
    do { try run.walk(try TemplateParser.parse(text, functions: functions), root) } catch {
      // What went wrong may quote what was being worked on.
      throw run.hasReadSecret ? TemplateError("template: expansion: failed after a secret was read") : error
    }
    return Array(run.output.utf8)
  }
}

extension PayloadTemplate.Lookups {
  /// Throws when it is called with anything but one text.
  func call(_ name: String, _ arguments: [TemplateValue]) throws(TemplateError) -> TemplateValue {
    guard arguments.count == 1 else { throw TemplateFunctions.wrongNumber(name, arguments) }
    guard case .text(let key) = arguments[0] else {
      throw .executing("<\(name)>: wrong type for value; expected string; got \(arguments[0].typeName)")
    }
    do {
      switch name {
      case "env": return .text(environment[key] ?? "")
      case "secret": return .text(try secrets(key))
      default: return .text(try configs(key))
      }
    } catch { throw .executing("<\(name) \(key.goQuoted)>: error calling \(name): \(error)") }
  }
}
