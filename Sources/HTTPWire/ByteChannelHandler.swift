// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Turns what a socket delivers into answers to `read`: nothing is read that nobody asked for, so a slow consumer is felt by the
/// peer. The exception is the end: NIO then reads what the kernel still holds, which the socket's own buffer bounds.
final class ByteChannelHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private var arrived = CircularBuffer<ByteBuffer>(initialCapacity: 2)
  private var waiter: (id: Int, promise: EventLoopPromise<ByteBuffer?>)?
  private var abandoned: Int?
  private var ended = false

  /// The next bytes; nil when the peer has ended its direction, or when this read is abandoned. One call at a time.
  func read(_ id: Int, from channel: any Channel) -> EventLoopFuture<ByteBuffer?> {
    if abandoned == id { return channel.eventLoop.makeSucceededFuture(nil) }
    if let buffer = arrived.popFirst() { return channel.eventLoop.makeSucceededFuture(buffer) }
    if ended || waiter != nil { return channel.eventLoop.makeSucceededFuture(nil) }
    let promise = channel.eventLoop.makePromise(of: ByteBuffer?.self)
    waiter = (id, promise)
    channel.read()
    return promise.futureResult
  }

  /// Gives up waiting. Bytes that come later are kept for the next read.
  func abandon(_ id: Int) {
    abandoned = id
    if let waiter, waiter.id == id { resume(with: nil) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let buffer = unwrapInboundIn(data)
    if waiter == nil { arrived.append(buffer) } else { resume(with: buffer) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .inputClosed? = event as? ChannelEvent { end() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  /// A reset ends the connection like a close: what had arrived is still handed out, then the end.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  func handlerRemoved(context: ChannelHandlerContext) { end() }

  private func end() {
    ended = true
    resume(with: nil)
  }

  private func resume(with buffer: ByteBuffer?) {
    let promise = waiter?.promise
    waiter = nil
    promise?.succeed(buffer)
  }
}
