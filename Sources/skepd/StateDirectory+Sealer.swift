// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Identity
import Logging
import Manager

extension StateDirectory {
  /// What opens the secrets in `store`. Nothing about it keeps a swarm from running: what cannot be opened is told, and done without.
  func sealer(for store: Store, logger: Logger) async -> any Sealer {
    let key: SealingKey
    do { key = try sealingKey() } catch {
      logger.error(
        """
        registry credentials can be neither read nor kept: services run on, images are pulled without; nor can secrets and configs: \
        tasks that need them fail
        """,
        metadata: ["problem": "\(error)"])
      return LostSealer(reason: "\(error)")
    }
    let services = await store.read { $0.services.values.filter { !$0.hasReadableAuth(key) }.map(\.name).sorted() }
    if !services.isEmpty {
      logger.error(
        """
        registry credentials cannot be read: services run on, images are pulled without; restore secrets.key from a backup, or give \
        them again with "docker service update --with-registry-auth"
        """,
        metadata: ["count": "\(services.count)", "services": "\(services.prefix(10).joined(separator: " "))"])
    }
    await tellOfUnreadablePayloads(in: store, key, logger)
    return key
  }

  private func tellOfUnreadablePayloads(in store: Store, _ key: SealingKey, _ logger: Logger) async {
    let payloads = await store.read { Array($0.payloads.values) }
    let unreadable = payloads.filter { (try? key.openPayload($0.data, $0.kind, id: $0.id)) == nil }.map(\.name).sorted()
    guard !unreadable.isEmpty else { return }
    logger.error(
      """
      secrets and configs cannot be read: what runs keeps them, new tasks that need them fail; restore secrets.key from a \
      backup, or make them again
      """,
      metadata: ["count": "\(unreadable.count)", "names": "\(unreadable.prefix(10).joined(separator: " "))"])
  }
}

/// Stands in for a key that cannot be used: whoever needs it is told why.
struct LostSealer: Sealer {
  let reason: String

  func seal(_ secret: [UInt8], of owner: String) throws -> Sealed { throw StateError(description: reason) }
  func open(_ sealed: Sealed, of owner: String) throws -> [UInt8] { throw StateError(description: reason) }
}

extension Service {
  /// Whether nobody misses credentials: there are none, or they can be read.
  fileprivate func hasReadableAuth(_ sealer: any Sealer) -> Bool {
    guard let sealed = spec.taskTemplate.registryAuth else { return true }
    return (try? sealer.openRegistryAuth(sealed, ofService: id)) != nil
  }
}
