// SPDX-License-Identifier: Apache-2.0

package import ClusterRPC
import GRPCCore

extension ManagerChannel {
  /// How long an answer is waited for, connecting included: swarm's 5 s.
  package static let patience = Duration.seconds(5)

  /// Errors are `RPCFailure`.
  package func root() async throws -> NodeMessage.Root {
    try await unary(.rootCertificate, NodeMessage.Empty(), isPatient: false)
  }

  package func issueCertificate(_ request: NodeMessage.CertificateRequest) async throws -> NodeMessage.CertificateReply {
    try await unary(.issueCertificate, request, isPatient: false)
  }

  package func register(_ registration: NodeMessage.Registration, as node: SessionName) async throws -> NodeMessage.Session {
    try await unary(.register, registration, node)
  }

  package func update(_ statuses: NodeMessage.Statuses, as node: SessionName) async throws {
    let _: NodeMessage.Empty = try await unary(.updateStatuses, statuses, node)
  }

  package func report(_ traffic: NodeMessage.Traffic, as node: SessionName) async throws {
    let _: NodeMessage.Empty = try await unary(.reportTraffic, traffic, node)
  }

  package func attach(_ request: NodeMessage.AttachRequest, as node: SessionName) async throws -> NodeMessage.AttachReply {
    try await unary(.attach, request, node)
  }

  package func report(_ containers: NodeMessage.AttachedContainers, as node: SessionName) async throws {
    let _: NodeMessage.Empty = try await unary(.reportContainers, containers, node)
  }

  package func goodbye(_ goodbye: NodeMessage.Goodbye, as node: SessionName) async throws {
    let _: NodeMessage.Empty = try await unary(.goodbye, goodbye, node)
  }

  /// Sends a beat whenever `pause` returns, until it throws or the stream ends. `hear` is given each answer.
  package func heartbeats(
    as node: SessionName, pause: @escaping @Sendable () async throws -> Void,
    hear: @escaping @Sendable (NodeMessage.Beat) -> Void
  ) async throws {
    try await stream(.heartbeat, node.metadata) { writer in
      while true {
        try await writer.write(NodeMessage.Empty())
        try await pause()
      }
    } take: { (beats: RPCAsyncSequence<NodeMessage.Beat, any Error>) in
      for try await beat in beats { hear(beat) }
    }
  }

  /// Takes messages until the stream ends; each is acknowledged when `take` has returned.
  package func assignments(
    as node: SessionName, take: @escaping @Sendable (AssignmentMessage) async throws -> Void
  ) async throws {
    // One at a time is under way: the manager waits for each to be acknowledged.
    let (taken, acknowledge) = AsyncStream.makeStream(of: Int64.self, bufferingPolicy: .bufferingNewest(1))
    try await stream(.assignments, node.metadata) { writer in
      for await sequence in taken { try await writer.write(NodeMessage.Acknowledgement(sequence: sequence)) }
    } take: { (messages: RPCAsyncSequence<AssignmentMessage, any Error>) in
      defer { acknowledge.finish() }
      for try await message in messages {
        try await take(message)
        acknowledge.yield(message.sequence)
      }
    }
  }
}

/// Who a call is made for, and in which session.
package struct SessionName: Sendable, Hashable {
  package var nodeID: String
  /// `nil` before there is one.
  package var session: String?

  package init(nodeID: String, session: String? = nil) {
    self.nodeID = nodeID
    self.session = session
  }

  var metadata: Metadata {
    var metadata: Metadata = [RPCHeader.node: .string(nodeID)]
    if let session { metadata.addString(session, forKey: RPCHeader.session) }
    return metadata
  }
}

extension ManagerChannel {
  func unary<Input: Codable & Sendable, Output: Codable & Sendable>(
    _ method: RPCMethod, _ message: Input, _ node: SessionName? = nil, isPatient: Bool = true
  ) async throws -> Output {
    var options = CallOptions.defaults
    options.timeout = Self.patience
    // One who is impatient is told at once that nobody listens.
    options.waitForReady = isPatient
    return try await call(method, node?.metadata ?? [:], options) {
      try await $0.write(message)
    } take: { (answers: RPCAsyncSequence<Output, any Error>) in
      var answer: Output?
      for try await message in answers { answer = message }
      guard let answer else { throw RPCFailure(.internal, "the manager gave no answer") }
      return answer
    }
  }

  /// Until the manager ends it, or `take` throws; `produce` is cancelled then.
  func stream<Input: Codable & Sendable, Output: Codable & Sendable>(
    _ method: RPCMethod, _ metadata: Metadata, _ produce: @escaping @Sendable (RPCWriter<Input>) async throws -> Void,
    take: @escaping @Sendable (RPCAsyncSequence<Output, any Error>) async throws -> Void
  ) async throws {
    try await call(method, metadata, .defaults, produce, take: take)
  }

  private func call<Input: Codable & Sendable, Output: Codable & Sendable, Value: Sendable>(
    _ method: RPCMethod, _ metadata: Metadata, _ options: CallOptions,
    _ produce: @escaping @Sendable (RPCWriter<Input>) async throws -> Void,
    take: @escaping @Sendable (RPCAsyncSequence<Output, any Error>) async throws -> Value
  ) async throws -> Value {
    var options = options
    // The library takes it for the answers' limit too, which is 4 MiB otherwise: an assignment with many secrets and configs is larger.
    options.maxRequestMessageBytes = ConnectionSettings.messageLimit
    let producer = CallProducer()
    let request = StreamingClientRequest(metadata: metadata) { writer in try await producer.run { try await produce(writer) } }
    return try await failing {
      try await client.bidirectionalStreaming(
        request: request, descriptor: method.descriptor, serializer: JSONSerializer<Input>(),
        deserializer: JSONDeserializer<Output>(), options: options
      ) { response in
        let result: Result<Value, any Error>
        do { result = .success(try await take(response.messages)) } catch { result = .failure(error) }
        await producer.end()
        return try result.get()
      }
    }
  }

  private func failing<Value>(_ body: () async throws -> Value) async throws -> Value {
    // The library would let it wait for a connection, without end.
    guard !Task.isCancelled else { throw RPCFailure(.canceled, "the call was cancelled before it began") }
    do { return try await body() } catch let error as RPCError { throw RPCFailure(error) }
  }
}
