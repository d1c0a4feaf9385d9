// SPDX-License-Identifier: Apache-2.0

import PlaygroundKit
import Synchronization
import Testing

/// What happens to the hosts of a cluster, one thing after the other, with its moments.
final class HostFaults: Sendable {
  private struct Moment {
    let what: String
    /// So many seconds after a loss requests may still fail; `nil` for what is no loss.
    let patience: Double?
    let began: Double
    var ended = Double.infinity

    /// In flight when the host was lost, or begun soon after.
    func excuses(_ request: FailedRequest) -> Bool {
      guard let patience else { return false }
      return request.began + request.took >= began && request.began <= ended + patience
    }

    /// A third of the requests of that time, and some.
    var most: Int { Int((patience ?? 0) * 240) }
  }

  /// Others need 0.3 s to see that a host does not answer. The rest is room for a busy machine.
  static let silent = 1.0
  /// The kernel of a host that hangs goes on answering: 2 s without a heartbeat, and the same room.
  static let hanging = 3.0
  static let replicas = 6
  let cluster: Cluster
  private let moments = Mutex<[Moment]>([])

  init(_ cluster: Cluster) { self.cluster = cluster }

  var fixture: Fixture { cluster.fixture }

  /// Each failure belongs to what happened last before it ended.
  func judge(_ failures: [FailedRequest]) {
    let moments = moments.withLock { $0 }
    for (index, moment) in moments.enumerated() {
      let next = index + 1 < moments.count ? moments[index + 1].began : .infinity
      let own = failures.filter { failure in
        moment.excuses(failure) || (moment.began..<next).contains(failure.began) && !moments.contains { $0.excuses(failure) }
      }
      let last = own.last.map { ", the last \($0.began - moment.ended) s after it: \($0.reason)" } ?? ""
      print("\(moment.what): \(own.count) failed\(last)")
      #expect(own.filter { !moment.excuses($0) } == [], "\(moment.what) from \(moment.began) to \(moment.ended)")
      #expect(own.count <= moment.most, "\(moment.what)")
    }
    #expect(failures.allSatisfy { $0.began + $0.took >= moments.first?.began ?? 0 }, "none before all that")
  }

  func happen(_ what: String, patience: Double? = nil, _ body: () async throws -> Void) async throws {
    let began = FailedRequest.now
    moments.withLock { $0.append(Moment(what: what, patience: patience, began: began)) }
    try await body()
    let ended = FailedRequest.now
    moments.withLock { $0[$0.count - 1].ended = ended }
  }
}
