// SPDX-License-Identifier: Apache-2.0

import ClusterModel

extension SwarmAPI {
  /// Volumes are the engine's, except those that a swarm would share between hosts.
  func createVolume(_ call: Call) async throws -> Rewritten {
    guard call.version >= APIVersion(1, 42), case .active = await control.state,
      let body = try? JSONValue(parsing: call.request.body).objectValue,
      let spec = body.member(ignoringCase: "ClusterVolumeSpec"), !spec.isNull
    else { return call.unchanged }
    throw SpecError.unsupported("cluster volumes (CSI)")
  }
}
