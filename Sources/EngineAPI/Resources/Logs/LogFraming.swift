// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import ClusterRPC

/// How one line of a task's log goes to a client.
package struct LogFraming: Sendable {
  /// With a terminal there are no frames: the bytes go out as they are.
  package var isTerminal: Bool
  package var hasTimestamps: Bool
  package var hasDetails: Bool

  package init(isTerminal: Bool, hasTimestamps: Bool, hasDetails: Bool) {
    self.isTerminal = isTerminal
    self.hasTimestamps = hasTimestamps
    self.hasDetails = hasDetails
  }

  package func bytes(_ line: LogLine, of task: ClusterTask) -> [UInt8] {
    let text = hasDetails ? withAttributes(line.bytes, task) : line.bytes
    return isTerminal ? text : Self.frame(line.stream, text)
  }

  /// Stream 3 carries what went wrong, in band because the status is already sent.
  package func failure(_ reasons: [String]) -> [UInt8] {
    let text =
      "Error grabbing logs: rpc error: code = Unknown desc = warning: incomplete log stream. "
      + "some logs could not be retrieved for the following reasons: \(reasons.joined(separator: ", "))\n"
    return isTerminal ? Array(text.utf8) : Self.frame(.system, Array(text.utf8))
  }

  private static func frame(_ stream: LogLine.Stream, _ payload: [UInt8]) -> [UInt8] {
    let length = UInt32(clamping: payload.count)
    return [
      stream.rawValue, 0, 0, 0, UInt8(length >> 24), UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255),
    ]
      + payload
  }

  /// The engine puts the log driver's attributes between timestamp and text, an empty word when there are none; ours join them.
  private func withAttributes(_ line: [UInt8], _ task: ClusterTask) -> [UInt8] {
    var rest = line[...]
    var result: [UInt8] = []
    if hasTimestamps { result += Self.takeWord(&rest) + [UInt8(ascii: " ")] }
    let given = String(decoding: Self.takeWord(&rest), as: UTF8.self)
    let own = [
      "\(Labels.swarmNodeID)=\(task.nodeID)", "\(Labels.swarmServiceID)=\(task.serviceID)", "\(Labels.swarmTaskID)=\(task.id)",
    ]
    let attributes = (given.split(separator: ",").map(String.init) + own).sorted()
    return result + Array(attributes.joined(separator: ",").utf8) + [UInt8(ascii: " ")] + rest
  }

  private static func takeWord(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let word = rest.prefix { $0 != UInt8(ascii: " ") }
    rest = rest.dropFirst(word.count + 1)
    return word
  }
}
