// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

// The replacement by another program, and what both tell each other afterwards.
extension Controller {
  /// Lets the program at our path take our place under the same process id, so that neither a service manager nor a supervisor
  /// sees an end. Open connections stay with a copy of this process for as long as they last.
  mutating func handOver() {
    guard drainDeadline == nil, let program = configuration.successor.first, access(program, X_OK) == 0 else { return }
    tell(.replacing)
    beginDrain(atMost: .max)
    parkThreads()
    let pair = Succession.pair()
    let inherited = predecessors.map(\.socket.descriptor)
    Succession.bequeath(inherited + [pair?.successors].compactMap { $0 })
    var arguments: [UnsafeMutablePointer<CChar>?] = configuration.successor.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    let isCopy = cl_hand_over(program, &arguments) == 0
    // From here on in the copy, which has this thread only; or there is none, and this process drains by itself, as at SIGTERM.
    for descriptor in inherited { close(descriptor) }
    predecessors = []
    if let pair { close(pair.successors) }
    heir = pair.map { Heir(socket: ControlSocket(descriptor: $0.mine)) }
    shared.withTable { $0.reportsEveryEnd = true }
    // The successor waits for the first word.
    (isReportDue, lastReport) = (true, 0)
    if isCopy { startThreads() } else { goOnWithoutSuccessor() }
  }

  var awaitsPredecessors: Bool { predecessors.contains { !$0.hasSpoken } && now < predecessorDeadline }

  var predecessorDeadline: UInt64 { started + configuration.predecessorPatience.nanoseconds }

  private mutating func goOnWithoutSuccessor() {
    heir?.socket.close()
    heir = nil
    drainDeadline = now + configuration.drainTimeout.nanoseconds
    shared.resume()
  }

  /// Tells the successor what this process still has.
  mutating func tellHeir() {
    guard heir != nil else { return }
    switch heir?.tell({ shared.withTable { $0.held() } }) {
    case .told: break
    case .later: isReportDue = true
    case .gone, nil:
      heir?.socket.close()
      heir = nil
    }
  }

  /// A successor that asks, or that is gone.
  mutating func hearHeir() {
    if heir?.hasAsked() == true { return isReportDue = true }
    heir?.socket.close()
    heir = nil
  }

  /// What a replaced relay says.
  mutating func hear(predecessor index: Int) {
    if !predecessors[index].listen() {
      predecessors[index].socket.close()
      predecessors.remove(at: index)
    }
    var sum: [String: [String: Int]] = [:]
    for (listener, endpoints) in predecessors.flatMap(\.held) {
      sum[listener, default: [:]].merge(endpoints.mapValues { Int($0) }, uniquingKeysWith: +)
    }
    shared.withTable { [sum] in $0.inherit(sum) }
  }
}
