// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import GRPCCore
import GRPCNIOTransportHTTP2Posix

/// Gives the calls to the service. Who the caller is has been checked, and is in the metadata.
struct ManagerHandlers: Sendable {
  typealias Router = RPCRouter<HTTP2ServerTransport.Posix>

  let service: any ManagerService

  func register(with router: inout Router) {
    let service = service
    unary(.rootCertificate, &router) { (_: NodeMessage.Empty, _) in try await service.root }
    unary(.issueCertificate, &router) { (request: NodeMessage.CertificateRequest, call) in
      try await service.issueCertificate(request, to: call.node)
    }
    unary(.register, &router) { (request: NodeMessage.Registration, call) in
      try await service.register(request, of: try call.requireNode(), session: call.session, address: call.address)
    }
    unary(.updateStatuses, &router) { (request: NodeMessage.Statuses, call) in
      try await service.update(request, of: try call.requireNode(), session: call.session ?? "")
      return NodeMessage.Empty()
    }
    unary(.reportTraffic, &router) { (request: NodeMessage.Traffic, call) in
      try await service.report(request, of: try call.requireNode(), session: call.session ?? "")
      return NodeMessage.Empty()
    }
    unary(.attach, &router) { (request: NodeMessage.AttachRequest, call) in
      try await service.attach(request, of: try call.requireNode(), session: call.session ?? "")
    }
    unary(.reportContainers, &router) { (request: NodeMessage.AttachedContainers, call) in
      try await service.report(request, of: try call.requireNode(), session: call.session ?? "")
      return NodeMessage.Empty()
    }
    unary(.goodbye, &router) { (request: NodeMessage.Goodbye, call) in
      try await service.goodbye(request, of: try call.requireNode(), session: call.session ?? "")
      return NodeMessage.Empty()
    }
    heartbeats(&router)
    assignments(&router)
    logs(&router)
  }

  /// Each beat is answered, so that a node knows that its manager hears it.
  private func heartbeats(_ router: inout Router) {
    stream(.heartbeat, &router) { (beats: RPCAsyncSequence<NodeMessage.Empty, any Error>, writer, call: Call) in
      let node = try call.requireNode()
      for try await _ in beats { try await writer.write(try await service.beat(of: node, session: call.session ?? "")) }
    }
  }

  /// The next is made when the last was acknowledged, so what waits for a slow node is the newest state and nothing else.
  private func assignments(_ router: inout Router) {
    stream(.assignments, &router) {
      (acknowledgements: RPCAsyncSequence<NodeMessage.Acknowledgement, any Error>, writer, call: Call) in
      let assignments = try await service.assignments(of: try call.requireNode(), session: call.session ?? "")
      var (last, sequence) = (Assignment?.none, Int64(0))
      var answers = acknowledgements.makeAsyncIterator()
      for await assignment in assignments {
        sequence += 1
        try await writer.write(
          AssignmentMessage(
            assignment, after: last, sequence: sequence, openPayload: service.open, open: service.openRegistryAuth))
        last = assignment
        guard let answer = try await answers.next(), answer.sequence == sequence else {
          throw RPCFailure(.aborted, "assignment \(sequence) was not acknowledged")
        }
      }
    }
  }
}

extension ManagerHandlers {
  /// One call, without its message.
  struct Call: Sendable {
    let node: String?
    let session: String?
    let log: String?
    let address: String

    init(_ metadata: Metadata, _ context: ServerContext) {
      node = metadata.text(RPCHeader.node)
      session = metadata.text(RPCHeader.session)
      log = metadata.text(RPCHeader.log)
      address = Self.host(of: context.remotePeer)
    }

    func requireNode() throws(RPCFailure) -> String {
      guard let node else { throw RPCFailure(.permissionDenied, "Permission denied: no certificate of this cluster") }
      return node
    }

    /// `ipv4:192.0.2.7:50123`, `ipv6:[2001:db8::7]:50123`.
    static func host(of peer: String) -> String {
      let address = peer.drop { $0 != ":" }.dropFirst()
      guard let colon = address.lastIndex(of: ":") else { return String(address) }
      return address[..<colon].filter { $0 != "[" && $0 != "]" }
    }
  }

  private func unary<Input: Codable & Sendable, Output: Codable & Sendable>(
    _ method: RPCMethod, _ router: inout Router, _ handle: @escaping @Sendable (Input, Call) async throws -> Output
  ) {
    router.registerHandler(
      forMethod: method.descriptor, deserializer: JSONDeserializer<Input>(), serializer: JSONSerializer<Output>()
    ) { request, context in
      let call = Call(request.metadata, context)
      let request = try await ServerRequest(stream: request)
      return StreamingServerResponse(single: ServerResponse(message: try await handle(request.message, call)))
    }
  }

  func stream<Input: Codable & Sendable, Output: Codable & Sendable>(
    _ method: RPCMethod, _ router: inout Router,
    _ handle: @escaping @Sendable (RPCAsyncSequence<Input, any Error>, RPCWriter<Output>, Call) async throws -> Void
  ) {
    router.registerHandler(
      forMethod: method.descriptor, deserializer: JSONDeserializer<Input>(), serializer: JSONSerializer<Output>()
    ) { request, context in
      let call = Call(request.metadata, context)
      return StreamingServerResponse { writer in
        do {
          try await Self.untilCancelled(context) { try await handle(request.messages, writer, call) }
        } catch let failure as RPCFailure {
          throw failure.error
        }
        return [:]
      }
    }
  }

  /// Ends `body` when the peer has gone, whatever it waits for.
  private static func untilCancelled(_ context: ServerContext, _ body: @escaping @Sendable () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await body() }
      group.addTask { try await context.cancellation.cancelled }
      defer { group.cancelAll() }
      try await group.next()
    }
  }
}
