// SPDX-License-Identifier: Apache-2.0

/// Go's escaping functions of templates.
enum TemplateEscapes {
  static func html(_ text: String) -> String {
    text.map { htmlEscapes[$0] ?? String($0) }.joined()
  }

  static func js(_ text: String) -> String {
    text.map { jsEscapes[$0] ?? String($0) }.joined()
  }

  static func query(_ text: String) -> String {
    text.utf8.map { byte in
      if byte == 0x20 { return "+" }
      let isPlain = (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || "-_.~".utf8.contains(byte)
      if isPlain { return String(UnicodeScalar(byte)) }
      let digits = String(byte, radix: 16, uppercase: true)
      return "%" + (digits.count < 2 ? "0" : "") + digits
    }.joined()
  }

  private static let htmlEscapes: [Character: String] = ["<": "&lt;", ">": "&gt;", "&": "&amp;", "\"": "&#34;", "'": "&#39;"]
  private static let jsEscapes: [Character: String] = [
    "\\": "\\\\", "'": "\\'", "\"": "\\\"", "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "=": "\\u003D", "\n": "\\u000A",
    "\r": "\\u000D", "\t": "\\u0009",
  ]
}
