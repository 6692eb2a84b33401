// What commands write with --json.
import Foundation
import Testing

/// The JSON object that a text is.
package func jsonObject(_ text: some StringProtocol) throws -> [String: Any] {
  try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
}

/// The JSON objects of a text that has one per line.
package func jsonLines(_ text: String) throws -> [[String: Any]] {
  try text.split(separator: "\n").map { try jsonObject($0) }
}
