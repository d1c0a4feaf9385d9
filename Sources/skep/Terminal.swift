// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import PlaygroundKit

/// What is said to people goes to standard error, what programs read to standard output.
func printError(_ text: String) {
  let line = Array("\(text)\n".utf8)
  _ = write(STDERR_FILENO, line, line.count)
}

/// Standard output, if it is a terminal.
struct Terminal {
  init?() { if isatty(STDOUT_FILENO) == 0 { return nil } }

  var columns: Int { Int(size?.ws_col ?? 80) }
  var rows: Int { Int(size?.ws_row ?? 24) }

  /// What empties the screen.
  let cleared = "\u{1b}[2J"

  /// As it is now: windows are resized. A serial line may not know its own.
  private var size: winsize? {
    var size = winsize()
    return ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 && size.ws_row > 0 ? size : nil
  }
}

/// A path as the caller's shell means it, without asking whether anything is there.
func absolutePath(_ path: String) -> String {
  URL(fileURLWithPath: path).standardizedFileURL.path
}

/// Becomes the program: its terminal, its signals, its status. Returns only by failing.
func replaceProcess(_ command: Command) throws {
  var arguments = ([command.executable] + command.arguments).map { strdup($0) } + [nil]
  defer { for case let argument? in arguments { free(argument) } }
  execvp(command.executable, &arguments)
  throw PlaygroundError(.missingTool, "cannot run \(command.executable): \(String(cString: strerror(errno)))")
}

/// A signal by name, with or without SIG, or by number.
struct Signal: ExpressibleByArgument {
  static let kill = Signal(number: SIGKILL)
  static let byName = [
    "HUP": SIGHUP, "INT": SIGINT, "QUIT": SIGQUIT, "KILL": SIGKILL, "TERM": SIGTERM, "STOP": SIGSTOP, "CONT": SIGCONT,
    "USR1": SIGUSR1, "USR2": SIGUSR2,
  ]

  var number: Int32

  init(number: Int32) { self.number = number }

  init?(argument: String) {
    let name = argument.uppercased()
    let short = name.hasPrefix("SIG") ? String(name.dropFirst(3)) : name
    guard let number = Self.byName[short] ?? Int32(argument).flatMap({ (1...64).contains($0) ? $0 : nil }) else { return nil }
    self.number = number
  }

  var defaultValueDescription: String { Self.byName.first { $0.value == number }?.key ?? "\(number)" }
}
