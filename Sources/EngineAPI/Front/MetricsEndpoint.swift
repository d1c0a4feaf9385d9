// SPDX-License-Identifier: Apache-2.0

/// A page for scrapers at `/metrics`, and nothing else.
package struct MetricsEndpoint: Responder {
  private let contentType: String
  private let page: @Sendable () async -> [UInt8]

  /// `page` should answer within a second or two: scrapers give up, and the front closes the connection after `answerTimeout`.
  package init(contentType: String, page: @escaping @Sendable () async -> [UInt8]) {
    self.contentType = contentType
    self.page = page
  }

  package func route(_ line: RequestLine) -> Route { .ours }

  package func respond(to request: Request) async throws -> Response {
    // As it came: a Docker client's version before the path has no meaning here.
    guard request.head.target.prefix(while: { $0 != "?" }) == "/metrics" else { throw APIError(status: 404, "page not found") }
    guard ["GET", "HEAD"].contains(request.method) else {
      var response = Response.error(405, "only GET and HEAD are answered")
      response.headers["Allow"] = "GET, HEAD"
      return response
    }
    return Response(headers: ["Content-Type": contentType], body: .bytes(await page()))
  }
}
