// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import Dispatch
import GRPCCore
import Identity
import NIOPosix
import Testing

@testable import ClusterTransport

@Suite("A manager's port for nodes", .serialized, .timeLimit(.minutes(2)))
struct ManagerServerTests {
  /// What is made of a port that was told to stop.
  private struct Port {
    let number: UInt16
    let serving: Task<Void, any Error>

    init(_ rig: Rig) async throws {
      let server = try ManagerServer(
        host: "127.0.0.1", port: 0, credentials: try rig.credentials("m1", .manager), service: rig.service, now: { Rig.now })
      let (ports, port) = AsyncStream.makeStream(of: UInt16.self)
      serving = Task { try await server.run { port.yield($0) } }
      var iterator = ports.makeAsyncIterator()
      number = try #require(await iterator.next())
    }

    func stop() async {
      serving.cancel()
      _ = await serving.result
    }
  }

  /// Whether `body` ends in time. One that does not is left behind: nothing else would tell that it hangs.
  private func ends(in time: Duration = .seconds(10), _ body: @escaping @Sendable () async -> Void) async -> Bool {
    let (ends, end) = AsyncStream.makeStream(of: Bool.self)
    let task = Task {
      await body()
      end.yield(true)
    }
    let alarm = Task {
      try await Task.sleep(for: time)
      end.yield(false)
    }
    var iterator = ends.makeAsyncIterator()
    let isEnded = await iterator.next() ?? false
    task.cancel()
    alarm.cancel()
    return isEnded
  }

  /// Calls on one connection until one fails. `first` is told of the first answer.
  private func call(_ port: UInt16, _ rig: Rig, _ credentials: NodeCredentials, first: AsyncStream<Void>.Continuation) async {
    try? await ManagerChannel.with(to: "127.0.0.1:\(port)", as: rig.member(credentials), now: { Rig.now }) { channel in
      _ = try await channel.root()
      first.yield()
      while true { _ = try await channel.root() }
    }
  }

  @Test(
    "one that is stopped while nodes call neither falls nor hangs; nor do the nodes, whether they are stopped too",
    arguments: 1...40)
  func stopping(round: Int) async throws {
    let rig = try Rig()
    let credentials = try rig.credentials("w1")
    let port = try await Port(rig)
    let (answers, answer) = AsyncStream.makeStream(of: Void.self)
    let nodes = (0..<4).map { _ in Task { await call(port.number, rig, credentials, first: answer) } }
    var iterator = answers.makeAsyncIterator()
    for _ in nodes { await iterator.next() }
    try await Task.sleep(for: .microseconds(241 * round))
    #expect(await ends { await port.stop() }, "the manager")
    if round.isMultiple(of: 2) { for node in nodes { node.cancel() } }
    #expect(await ends { for node in nodes { await node.value } }, "the nodes")
  }

  @Test("a node that hangs is not waited for: its connection is cut")
  func hanging() async throws {
    let rig = try Rig()
    let credentials = try rig.credentials("w1")
    let port = try await Port(rig)
    let threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let channel = try ManagerChannel(
      to: "127.0.0.1:\(port.number)", as: rig.member(credentials), now: { Rig.now }, on: threads)
    let running = Task { try await channel.run() }
    _ = try await channel.root()
    let hang = DispatchSemaphore(value: 0)
    threads.any().execute { hang.wait() }
    let start = ContinuousClock.now
    await port.stop()
    #expect(ContinuousClock.now - start < .seconds(3))
    hang.signal()
    running.cancel()
    _ = await running.result
    try await threads.shutdownGracefully()
  }

  /// A call that nobody waits for: its task is cancelled before it begins.
  private func cancelled(_ call: @escaping @Sendable () async throws -> Void) -> Task<Void, Never> {
    Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try? await call()
    }
  }

  @Test("a call of a cancelled task ends though the manager has gone, at the latest with its channel")
  func cancelledCalls() async throws {
    let rig = try Rig()
    let credentials = try rig.credentials("w1")
    let port = try await Port(rig)
    let channel = try ManagerChannel(to: "127.0.0.1:\(port.number)", as: rig.member(credentials), now: { Rig.now })
    let running = Task { try await channel.run() }
    _ = try await channel.root()
    await port.stop()
    let registration = NodeMessage.Registration(description: ManagerLinkTests.description, statuses: [:])
    let call = cancelled { _ = try await channel.register(registration, as: .init(nodeID: "w1")) }
    #expect(await ends { await call.value }, "one that is told before it begins")
    let raw = cancelled {
      var options = CallOptions.defaults
      options.waitForReady = true
      try await channel.client.unary(
        request: ClientRequest(message: NodeMessage.Empty()), descriptor: RPCMethod.rootCertificate.descriptor,
        serializer: JSONSerializer<NodeMessage.Empty>(), deserializer: JSONDeserializer<NodeMessage.Root>(), options: options
      ) { _ = try $0.message }
    }
    running.cancel()
    #expect(await ends { await raw.value }, "one that is told too late")
    _ = await running.result
  }
}
