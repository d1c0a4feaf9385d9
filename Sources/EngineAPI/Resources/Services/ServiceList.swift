// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// Services' JSON, put together of what is kept ready.
struct ServiceList {
  /// What a service's JSON is made of.
  struct Stamp: Sendable, Equatable {
    let writtenAt: UInt64
    /// The ingress network is part of an endpoint.
    let clusterWrittenAt: UInt64?
  }

  struct Piece: Sendable {
    /// Without the closing brace, before which the counts of tasks go.
    let open: [UInt8]
    /// How many tasks are to run; `nil` for what is global, which asks for one on every node that fits.
    let replicas: Int?
    /// `nil` for what is no job.
    let jobIteration: UInt64?
  }

  typealias Ready = ReadyJSON<Stamp, Piece>

  private let store: ClusterStore
  private let ready: Ready
  private let ingress: IngressNetwork?

  init(of store: ClusterStore, ready: Ready) {
    self.store = store
    self.ready = ready
    ingress = store.cluster.map { IngressNetwork(of: $0) }
  }

  /// Sorted by id.
  func json(_ filters: Filters, withStatus: Bool) throws -> [UInt8] {
    var bytes = [UInt8(ascii: "[")]
    let wanted = filters.all.isEmpty ? store.serviceIndex.entries : store.serviceIndex.entries.filter { matches($0, filters) }
    for entry in wanted {
      guard let piece = try piece(entry) else { continue }
      if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
      bytes += piece.open
      if withStatus { bytes += status(entry.id, piece).utf8 }
      bytes.append(UInt8(ascii: "}"))
    }
    bytes.append(UInt8(ascii: "]"))
    ready.trim(to: store.services.count) { store.services[$0] != nil }
    return bytes
  }

  /// One service; `nil` when there is none of that id.
  func json(_ id: String) throws -> [UInt8]? {
    guard let entry = store.serviceIndex[id], let piece = try piece(entry) else { return nil }
    return piece.open + [UInt8(ascii: "}")]
  }

  private func matches(_ entry: ServiceIndex.Entry, _ filters: Filters) -> Bool {
    store.services[entry.id].map { ServiceFilter.matches($0, filters) } ?? false
  }

  private func piece(_ entry: ServiceIndex.Entry) throws -> Piece? {
    try ready.value(entry.id, Stamp(writtenAt: entry.writtenAt, clusterWrittenAt: store.cluster?.version)) {
      guard let service = store.services[entry.id] else { return nil }
      let json = try ServiceJSON.value(service, ingress: ingress, networks: store.networks).bytes
      let replicas = service.spec.mode.replicatedJob.map { Int(clamping: $0.maxConcurrent ?? 0) } ?? service.replicas
      return Piece(
        open: Array(json.dropLast()), replicas: service.isGlobal ? nil : replicas, jobIteration: service.jobIteration)
    }
  }

  private func status(_ id: String, _ piece: Piece) -> String {
    if let iteration = piece.jobIteration {
      let counts = store.jobCounts(ofService: id, iteration: iteration)
      return Self.status(counts.running, of: piece.replicas ?? counts.unfinished, completed: counts.completed)
    }
    let counts = store.taskCounts(ofService: id)
    return Self.status(counts.running, of: piece.replicas ?? counts.desiredRunning, completed: 0)
  }

  private static func status(_ running: Int, of desired: Int, completed: Int) -> String {
    #","ServiceStatus":{"RunningTasks":\#(running),"DesiredTasks":\#(desired),"CompletedTasks":\#(completed)}"#
  }
}
