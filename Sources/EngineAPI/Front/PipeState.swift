// SPDX-License-Identifier: Apache-2.0

/// When a pipe is over. A direction that ended is passed on as a half-close, so one ended direction alone ends nothing:
/// `docker run -i` sends its end of input and then waits for the output.
struct PipeState {
  enum Event {
    /// The client's bytes are all with the engine, or the engine no longer takes them.
    case requestEnded
    /// The engine's bytes are all with the client.
    case responseEnded
    case clientClosed
    case engineClosed
    /// The client is gone, or will not take the engine's bytes.
    case clientFailed
  }

  private var requestEnded = false
  private var responseEnded = false
  private var clientClosed = false
  private var engineClosed = false

  /// True when both sides are to be closed.
  mutating func handle(_ event: Event) -> Bool {
    switch event {
    case .requestEnded: requestEnded = true
    case .responseEnded: responseEnded = true
    case .clientClosed: clientClosed = true
    case .engineClosed: engineClosed = true
    case .clientFailed: return true
    }
    // A side that is gone is kept only until the bytes it had sent are delivered.
    return (requestEnded && responseEnded) || (clientClosed && requestEnded) || (engineClosed && responseEnded)
  }
}
