// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Balancing
@testable import DataPlane

@Suite("Fuzz: bytes that come as messages")
struct DecodingFuzzTests {
  @Test("are read as they were meant or refused, and what is read is written as it was read")
  func mutations() async throws {
    let rounds = FuzzPlan.rounds(4_000)
    let read = try await offPool { try mutate(rounds) }
    // Both ways are gone: mutations that break everything show as little as those that break nothing.
    #expect(read > Int(rounds) / 50 && read < Int(rounds) * 9 / 10, "\(read) of \(rounds) were read")
  }

  /// How many could be read.
  private func mutate(_ rounds: UInt64) throws -> Int {
    var mutator = Mutator(seed: FuzzPlan.seed)
    var read = 0
    for round in 0..<rounds {
      let message =
        round % 2 == 0 ? ControlMessageTests.examples[mutator.below(ControlMessageTests.examples.count)] : table(&mutator)
      let payload = mutator.mutated(short(message).encodedPayload())
      let kind = mutator.below(16) == 0 ? UInt8(mutator.below(256)) : message.kind
      guard let found = try? ControlMessage(kind: kind, payload: payload) else { continue }
      read += 1
      guard try ControlMessage(kind: kind, payload: found.encodedPayload()) == found else {
        throw Mismatch("seed \(FuzzPlan.seed), round \(round): \(found)")
      }
    }
    return read
  }

  @Test("in packets cut, repeated and exchanged lose no descriptor: each is given out or still held")
  func packets() async throws {
    try await offPool {
      var mutator = Mutator(seed: FuzzPlan.seed)
      for round in 0..<FuzzPlan.rounds(300) {
        let message = ControlMessageTests.examples[mutator.below(ControlMessageTests.examples.count)]
        var packets = ControlPacket.packets(for: message, descriptors: Array(0..<Int32(mutator.below(600))))
        for _ in 0..<mutator.below(3) { shuffle(&packets, &mutator) }
        guard assemble(packets) else { throw Mismatch("seed \(FuzzPlan.seed), round \(round)") }
      }
    }
  }

  private func assemble(_ packets: [ControlPacket]) -> Bool {
    var assembler = ControlAssembler()
    var (given, sent): ([Int32], [Int32]) = ([], [])
    do {
      for packet in packets {
        sent += packet.descriptors
        switch try assembler.append(packet) {
        case .message(_, let descriptors), .unreadable(_, _, let descriptors), .excess(let descriptors): given += descriptors
        case nil: break
        }
      }
    } catch {
      // The peer would be left.
    }
    return given + assembler.descriptors == sent
  }

  private func shuffle(_ packets: inout [ControlPacket], _ mutator: inout Mutator) {
    guard !packets.isEmpty else { return }
    let place = mutator.below(packets.count)
    switch mutator.below(4) {
    case 0: packets.remove(at: place)
    case 1: packets.insert(packets[place], at: mutator.below(packets.count))
    case 2: packets.swapAt(place, mutator.below(packets.count))
    default: packets[place] = ControlPacket(bytes: mutator.mutated(packets[place].bytes), descriptors: packets[place].descriptors)
    }
  }

  private func table(_ mutator: inout Mutator) -> ControlMessage {
    let table = mutator.table(mutator.next())
    return .table(table, ports: table.listeners.map(\.address))
  }

  /// The large example takes long to read and shows no more.
  private func short(_ message: ControlMessage) -> ControlMessage {
    guard case .table(var table, let ports) = message else { return message }
    table.listeners = Array(table.listeners.prefix(3))
    return .table(table, ports: ports)
  }
}
