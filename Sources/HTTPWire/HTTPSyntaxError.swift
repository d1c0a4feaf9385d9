// SPDX-License-Identifier: Apache-2.0

/// A message that is not HTTP as we accept it. `status` is what a server answers to such a request.
package struct HTTPSyntaxError: Error, Hashable, CustomStringConvertible {
  package var status: Int
  package var message: String

  package init(status: Int = 400, _ message: String) {
    self.status = status
    self.message = message
  }

  package var description: String { message }
}
