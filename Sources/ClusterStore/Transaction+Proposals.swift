// SPDX-License-Identifier: Apache-2.0

extension Transaction {
  /// One proposal, atomic. Throws when it is larger than a transaction may be.
  package consuming func atomicProposal() throws -> Proposal {
    let proposals = try proposals(objectLimit: .max, byteLimit: .max)
    guard let proposal = proposals.first else { return Proposal(changes: [], writes: []) }
    guard proposal.changes.count <= TransactionLimit.objects, proposal.byteCount <= TransactionLimit.bytes else {
      throw TransactionLimit.Exceeded(objects: proposal.changes.count, bytes: proposal.byteCount)
    }
    return proposal
  }

  /// As many proposals as the limit asks for, to be committed one after the other; any first few of them make a consistent state.
  package consuming func batchedProposals() throws -> [Proposal] {
    try proposals(objectLimit: TransactionLimit.objects, byteLimit: TransactionLimit.bytes)
  }

  private func proposals(objectLimit: Int, byteLimit: Int) throws -> [Proposal] {
    var encoder = ChangeEncoder(base: base)
    var proposals: [Proposal] = []
    var changes: [Change] = []
    var writes: [RecordWrite] = []
    var bytes = 0
    for key in order {
      guard let change = written[key] else { continue }
      let records = try encoder.encode(change)
      if records.isEmpty { continue }
      let size = records.reduce(0) { $0 + $1.byteCount }
      if !changes.isEmpty, changes.count == objectLimit || bytes + size > byteLimit {
        proposals.append(Proposal(changes: changes, writes: writes))
        (changes, writes, bytes) = ([], [], 0)
      }
      changes.append(change)
      writes += records
      bytes += size
    }
    if !changes.isEmpty { proposals.append(Proposal(changes: changes, writes: writes)) }
    return proposals
  }
}

/// What one transaction may hold, fixed from the start because etcd limits a transaction.
package enum TransactionLimit {
  package static let objects = 64
  package static let bytes = 1 << 20

  package struct Exceeded: Error, CustomStringConvertible {
    package var objects: Int
    package var bytes: Int
    package var description: String {
      "a transaction of \(objects) objects and \(bytes) bytes is larger than \(TransactionLimit.objects) objects or \(TransactionLimit.bytes) bytes"
    }
  }
}

extension RecordWrite {
  var byteCount: Int { key.utf8.count + (value?.count ?? 0) }
}

extension Proposal {
  var byteCount: Int { writes.reduce(0) { $0 + $1.byteCount } }
}
