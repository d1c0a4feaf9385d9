// SPDX-License-Identifier: Apache-2.0

extension PayloadSpec {
  private static let longestName = 64

  package func validate() throws(SpecError) {
    if name.isEmpty { throw .invalidArgument("name must be provided") }
    guard name.utf8.count <= Self.longestName, Self.isName(name) else {
      throw .invalidArgument(
        "invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character must be [a-zA-Z0-9]")
    }
  }

  /// `^[a-zA-Z0-9]+(?:[a-zA-Z0-9-_.]*[a-zA-Z0-9])?$`
  private static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, let last = name.utf8.last, isAlphanumeric(first), isAlphanumeric(last) else {
      return false
    }
    return name.utf8.allSatisfy { isAlphanumeric($0) || "-_.".utf8.contains($0) }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
  }
}

extension ContainerSpec {
  /// What swarm's front end finds: exactly one target for each config.
  func checkConfigTargets() throws(SpecError) {
    for config in configs ?? [] {
      switch (config.file, config.runtime) {
      case (nil, nil): throw SpecError("invalid Config: either File or Runtime should be set")
      case (.some, .some): throw SpecError("invalid Config: cannot specify both File and Runtime")
      default: break
      }
    }
  }

  /// What its control plane finds, without a look at the objects.
  func validatePayloadReferences() throws(SpecError) {
    for kind in PayloadKind.allCases { try validatePayloadReferences(kind) }
    guard let wanted = privileges?.credentialSpec?.config, !wanted.isEmpty else { return }
    guard configs?.contains(where: { $0.configID == wanted && $0.runtime != nil }) == true else {
      throw .invalidArgument(
        "CredentialSpec references config '\(wanted)', but that config isn't in config references with RuntimeTarget")
    }
  }

  private func validatePayloadReferences(_ kind: PayloadKind) throws(SpecError) {
    let word = kind.rawValue
    var targets: [String: String] = [:]
    for reference in payloadReferences(kind) {
      if reference.id.isEmpty || reference.name.isEmpty { throw .invalidArgument("malformed \(word) reference") }
      guard let file = reference.file else {
        if kind == .config { continue }
        throw .invalidArgument("malformed \(word) reference, no target provided")
      }
      if file.name.isEmpty {
        throw .invalidArgument("malformed file \(word) reference, invalid target file name provided")
      }
      if let other = targets.updateValue(reference.name, forKey: file.name) {
        throw .invalidArgument(
          "\(word) references '\(other)' and '\(reference.name)' have a conflicting target: '\(file.name)'")
      }
    }
  }
}
