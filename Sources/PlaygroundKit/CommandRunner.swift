// SPDX-License-Identifier: Apache-2.0
import Subprocess

extension Command {
  /// More than any docker command of a test writes; a program that writes more fails instead of filling memory.
  static let outputLimit = 32 << 20

  /// Runs the program to its end. A status other than 0 is a result, not an error; cancelling the task kills the program.
  /// - Parameter input: The program's standard input, which ends after it.
  package func run(input: String = "") async throws -> CommandResult {
    var changes: [Environment.Key: String?] = [:]
    for (name, value) in environment { changes[Environment.Key(stringLiteral: name)] = .some(value) }
    let result: ExecutionResult<Void, BytesOutput, BytesOutput>
    do {
      result = try await Subprocess.run(
        executable.contains("/") ? .path(.init(executable)) : .name(executable), arguments: Arguments(arguments),
        environment: .inherit.updating(changes), input: .array(Array(input.utf8)), output: .bytes(limit: Self.outputLimit),
        error: .bytes(limit: Self.outputLimit))
    } catch let error as SubprocessError {
      try Task.checkCancellation()
      throw PlaygroundError(.missingTool, "cannot run \(executable)", cause: "\(error)")
    }
    return CommandResult(
      status: result.terminationStatus.code, stdout: String(decoding: result.standardOutput, as: UTF8.self),
      stderr: String(decoding: result.standardError, as: UTF8.self))
  }

  /// Runs a program that has to succeed.
  @discardableResult
  package func check() async throws -> CommandResult {
    let result = try await run()
    guard result.succeeded else {
      throw PlaygroundError(.commandFailed, "`\(description)` failed with status \(result.status)", cause: tail(result.stderr))
    }
    return result
  }
}

extension TerminationStatus {
  fileprivate var code: Int32 {
    switch self {
    case .exited(let code): Int32(code)
    case .signaled(let signal): 128 + Int32(signal)
    }
  }
}
