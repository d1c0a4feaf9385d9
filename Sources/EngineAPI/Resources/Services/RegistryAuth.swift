// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// `X-Registry-Auth`: what nodes log in with to pull the service's image.
extension Call {
  /// Sealed as it came, and `nil` when there is none. Not looked into: what swarm cannot decode it keeps too, and an engine takes it
  /// for no credentials. `e30=`, an empty object, is a choice of none.
  func registryAuth(ofService id: String, sealer: any Sealer) throws -> Sealed? {
    guard let header = request.headers["X-Registry-Auth"], !header.isEmpty else { return nil }
    do { return try sealer.sealRegistryAuth(header, ofService: id) } catch {
      throw APIError(status: 500, "registry credentials cannot be kept: \(error)")
    }
  }
}
