// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC

/// Makes a task's files of the secrets and configs that were assigned with it.
struct PayloadFiles {
  let task: ClusterTask
  /// By id.
  let payloads: [String: AssignedPayload]
  let sealer: any Sealer

  private var spec: ContainerSpec? { task.template.spec.containerSpec }

  /// In the order of the spec, secrets first.
  static func references(of task: ClusterTask) -> [PayloadReference] {
    task.template.spec.containerSpec?.payloadReferences.filter { $0.path != nil } ?? []
  }

  func files() throws(TaskFailure) -> [TaskFile] {
    var files: [TaskFile] = []
    for reference in Self.references(of: task) { files.append(try file(reference)) }
    return files
  }

  private func file(_ reference: PayloadReference) throws(TaskFailure) -> TaskFile {
    let (target, path) = (reference.file, reference.path ?? "")
    let data = try expanded(try payload(reference.kind, reference.id))
    return TaskFile(
      target: path, data: data, user: try Self.number(target?.uid ?? ""), group: try Self.number(target?.gid ?? ""),
      mode: (target?.mode ?? 0) & 0o777)
  }

  private func payload(_ kind: PayloadKind, _ id: String) throws(TaskFailure) -> AssignedPayload {
    guard let payload = payloads[id], payload.kind == kind else {
      throw Self.failure(kind, "\(kind.rawValue) \(id) not found")
    }
    return payload
  }

  private func open(_ payload: AssignedPayload) throws(TaskFailure) -> [UInt8] {
    do { return try sealer.openPayload(payload.data, payload.kind, id: payload.id) } catch {
      throw Self.failure(payload.kind, "\(payload.kind.rawValue) \(payload.name) cannot be read: \(error)")
    }
  }

  private func expanded(_ payload: AssignedPayload) throws(TaskFailure) -> [UInt8] {
    let data = try open(payload)
    guard let driver = payload.templating else { return data }
    let failed = "failed to expand templated \(payload.kind.rawValue) \(payload.id)"
    guard driver == PayloadTemplate.driver else { throw Self.failure(payload.kind, "\(failed): unrecognized template type") }
    do { return try PayloadTemplate.expand(data, of: task, lookups) } catch {
      throw Self.failure(payload.kind, "\(failed): \(error)")
    }
  }

  /// The raw values: as in swarm, what a template looks up is not expanded itself.
  private var lookups: PayloadTemplate.Lookups {
    var environment: [String: String] = [:]
    for entry in spec?.env ?? [] {
      let sides = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if sides.count == 2, environment[String(sides[0])] == nil { environment[String(sides[0])] = String(sides[1]) }
    }
    return PayloadTemplate.Lookups(
      environment: environment,
      secrets: { target throws(TemplateError) in try text(.secret, target) },
      configs: { target throws(TemplateError) in try text(.config, target) })
  }

  private func text(_ kind: PayloadKind, _ target: String) throws(TemplateError) -> String {
    guard let found = spec?.payloadReferences(kind).first(where: { $0.file?.name == target }) else {
      throw TemplateError("\(kind.rawValue) target \(target) not found")
    }
    let data: [UInt8]
    do { data = try open(try payload(kind, found.id)) } catch { throw TemplateError(error.message) }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw TemplateError("\(kind.rawValue) target \(target) is no text")
    }
    return text
  }

  /// In swarm's words.
  private static func failure(_ kind: PayloadKind, _ reason: String) -> TaskFailure {
    TaskFailure(.refused, "unable to get \(kind.rawValue) from \(kind.rawValue) store: \(reason)")
  }

  private static func number(_ text: String) throws(TaskFailure) -> UInt32 {
    guard let number = UInt32(text) else {
      throw TaskFailure(.refused, "strconv.Atoi: parsing \(text.goQuoted): invalid syntax")
    }
    return number
  }
}
