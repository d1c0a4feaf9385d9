// SPDX-License-Identifier: Apache-2.0

import EngineAPI
import HTTPWire
import Testing

@Suite("Queries and versions")
struct QueryTests {
  @Test(
    "flags follow the engine's rule",
    arguments: [
      ("f", false), ("f=", false), ("f=0", false), ("f=no", false), ("f=False", false), ("f=NONE", false), ("f=+0+", false),
      ("", false),
      ("f=1", true), ("f=true", true), ("f=x", true), ("g=0&f=yes", true), ("f=1&f=0", true),
    ])
  func flags(query: String, value: Bool) {
    #expect(Query(query).flag("f") == value)
  }

  @Test(
    "strict booleans are Go's",
    arguments: [("1", true), ("T", true), ("True", true), ("FALSE", false), ("f", false), ("tRue", nil), ("yes", nil), ("", nil)])
  func strict(text: String, value: Bool?) {
    #expect(Query.strictBool(text) == value)
  }

  @Test("items that do not decode are dropped")
  func decoding() {
    let query = Query("a=%zz&b=%&c=1;d=2&%65=%C3%BC+%2B&f=%ff&g=a=b")
    #expect(query.items.map { "\($0.name):\($0.value)" } == ["e:ü +", "g:a=b"])
  }

  @Test(
    "the version is cut off the path",
    arguments: [
      ("/v1.41/info", "/info", "1.41"), ("/info", "/info", nil), ("/v1.41", "/", "1.41"), ("/v1.x/info", "/v1.x/info", nil),
      ("/volumes", "/volumes", nil), ("/v1/info", "/v1/info", nil), ("/v1.41/a%2Fb?x=/v1.2/", "/a/b", "1.41"),
    ])
  func prefix(target: String, path: String, version: String?) throws {
    let line = try RequestLine(RequestHead(method: "GET", target: target))
    #expect(line.path == path && line.version?.description == version)
  }

  @Test("versions compare by number")
  func order() throws {
    #expect(APIVersion(1, 9) < APIVersion(1, 41) && APIVersion(1, 50) < APIVersion(2, 0))
  }
}
