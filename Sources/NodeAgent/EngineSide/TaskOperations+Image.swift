// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineClient

extension TaskOperations {
  /// How long an image that is there anyway may keep a task waiting for its registry.
  static let refreshLimit = Duration.seconds(10)

  /// A digest that is there needs no pull. Everything else is pulled; what cannot be pulled is used as it is, and when it is not
  /// there either, the engine's create says so.
  func ensureImage(of template: TaskTemplate) async throws {
    let reference = ImageReference(template.spec.containerSpec?.image ?? "")
    let isLocal = try await retrying { try await hasImage(reference.normalized) }
    if isLocal, reference.hasDigest { return }
    let auth = registryAuth(of: template)
    do {
      if isLocal { try await refresh(reference.normalized, auth) } else { try await pull(reference.normalized, auth) }
    } catch let error as EngineError {
      logger.warning("pulling image failed", metadata: ["image": "\(reference.normalized)", "error": "\(error)"])
    }
  }

  /// Credentials that cannot be read are said to be so; the image may be a public one all the same.
  private func registryAuth(of template: TaskTemplate) -> String? {
    guard let sealed = template.spec.registryAuth else { return nil }
    do { return try sealer.openRegistryAuth(sealed, ofService: template.key.serviceID) } catch {
      logger.error(
        "registry credentials cannot be read: pulling without",
        metadata: ["service": "\(template.serviceName)", "error": "\(error)"])
      return nil
    }
  }

  private func pull(_ reference: String, _ auth: String?) async throws {
    try await retrying { try await engine.pullImage(reference, registryAuth: auth) }
  }

  private func refresh(_ reference: String, _ auth: String?) async throws {
    try await withThrowingTaskGroup { group in
      group.addTask { try await engine.pullImage(reference, registryAuth: auth) }
      group.addTask { try await clock.sleep(Self.refreshLimit) }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private func hasImage(_ reference: String) async throws -> Bool {
    do {
      _ = try await engine.image(reference)
      return true
    } catch let error as EngineError where error.code == .notFound {
      return false
    }
  }
}
