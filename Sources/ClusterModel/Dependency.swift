// SPDX-License-Identifier: Apache-2.0

/// What a service waits for before its first tasks start: another service, as named in the label `skep.depends-on`.
package struct Dependency: Sendable, Hashable {
  package let service: String
  /// It is not enough that its tasks run: they must be ready for connections, by their health check or their ports.
  package let needsHealth: Bool

  private static let namespace = "com.docker.stack.namespace"

  /// Separated by commas. Throws for what is no list of services, and for the service itself.
  package static func all(of spec: ServiceSpec) throws(SpecError) -> [Dependency] {
    guard let text = spec.labels[Labels.dependsOn] else { return [] }
    var found: [Dependency] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let words = part.split(separator: ":", omittingEmptySubsequences: false).map { $0.trimmed }
      guard let name = words.first, !name.isEmpty, words.count == 1 || words.dropFirst() == ["healthy"] else {
        throw .invalidArgument("label \(Labels.dependsOn): \(text.goQuoted) is not a list such as db,cache:healthy")
      }
      let dependency = Dependency(service: name, needsHealth: words.count == 2)
      guard !dependency.names(in: spec).contains(where: { $0.lowercased() == spec.name?.lowercased() }) else {
        throw .invalidArgument("label \(Labels.dependsOn): a service cannot wait for itself")
      }
      found.append(dependency)
    }
    return found
  }

  /// What the other service may be called, the likeliest first: in a stack its name is the stack's and its own.
  package func names(in spec: ServiceSpec) -> [String] {
    spec.labels[Self.namespace].map { ["\($0)_\(service)", service] } ?? [service]
  }
}

extension Substring {
  fileprivate var trimmed: String {
    var text = drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
