// SPDX-License-Identifier: Apache-2.0

import ClusterRPC
import Synchronization

extension ManagerLink {
  /// Heartbeats and assignments of a session, until one of them ends; logs beside them.
  func keep(_ name: SessionName, _ period: Duration, _ reader: AsyncStream<Assignment>.Continuation) async {
    await withTaskGroup(of: (any Error)?.self) { group in
      group.addTask {
        do { try await self.pulse.beat(as: name, every: period) { self.heard($0) } } catch { return error }
        return nil
      }
      group.addTask {
        do { try await self.follow(name, reader) } catch { return error }
        return nil
      }
      if let logs = state.withLock({ $0.logs }) {
        group.addTask {
          await self.publishLogs(from: logs, in: name)
          return nil
        }
      }
      let failure = await group.next() ?? nil
      if let failure, !Task.isCancelled {
        logger.warning("the session with the manager ended", metadata: ["error": "\(failed(failure))"])
      }
      endSession(name.session)
      group.cancelAll()
    }
  }

  private func heard(_ beat: NodeMessage.Beat) {
    if let wanted = beat.authority, wanted != credentials().mark { tell(.outdated(wanted)) }
  }

  private func follow(_ name: SessionName, _ reader: AsyncStream<Assignment>.Continuation) async throws {
    let assembler = Mutex(AssignmentAssembler())
    try await channel.assignments(as: name) { message in
      let assignment = try assembler.withLock { assembler in
        try assembler.take(message) {
          try self.sealer.sealPayload($0, $1, id: $2)
        } seal: {
          try self.sealer.sealRegistryAuth($0, ofService: $1)
        }
      }
      reader.yield(assignment)
    }
  }

  func inSession(_ body: (SessionName) async throws -> Void) async throws {
    guard let session = state.withLock({ $0.session }) else { throw RPCFailure.sessionOver }
    do { try await body(SessionName(nodeID: nodeID, session: session)) } catch {
      endSession(session)
      throw failed(error)
    }
  }

  /// Ends the session of that name, or whatever there is.
  func endSession(_ name: String? = nil) {
    let reader = state.withLock { state in
      guard name == nil || state.session == name else { return AsyncStream<Assignment>.Continuation?.none }
      state.session = nil
      defer { state.reader = nil }
      return state.reader
    }
    reader?.finish()
  }

  func failed(_ error: any Error) -> any Error {
    guard let failure = error as? RPCFailure, failure.code == .permissionDenied else { return error }
    tell(.refused(failure))
    return failure
  }
}
