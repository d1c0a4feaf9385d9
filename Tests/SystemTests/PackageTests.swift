// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension SystemTests {
  @Test("The Debian package under a real systemd: installed, in use, upgraded, removed, purged, nothing left")
  func debianPackage() async throws {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let result = try await Command(tests.appending(path: "PackageTests/run").path, []).run()
    #expect(result.succeeded, "\(result.stdout)\n\(result.stderr)")
  }
}
