// Configuration files are complete: a missing key is an error by synthesis, an unknown one by this
// check.
import Foundation

/// A key that no configuration has.
struct UnknownKeyError: Error, Equatable, CustomStringConvertible {
  /// Where the key is, dotted.
  let key: String
  let known: [String]

  var description: String {
    "unknown key \"\(key)\"; known are \(known.joined(separator: ", "))"
  }
}

/// A value from JSON that has no other keys than those that its type reads.
///
/// - Throws: `UnknownKeyError`, `DecodingError`, and what the value's own decoding throws.
func decodeStrictly<Value: Codable>(_ type: Value.Type, from data: Data) throws -> Value {
  let value = try JSONDecoder().decode(type, from: data)
  let found = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
  try refuseUnknownKeys(
    of: found,
    beside: try JSONSerialization.jsonObject(
      with: try JSONEncoder().encode(value), options: .fragmentsAllowed), at: []
  ) { (try? reads(type, $0[...], in: found)) ?? false }
  return value
}

/// - Parameters:
///   - known: what the value writes, which leaves out keys that say nothing.
///   - isRead: whether a key that is left out there is read all the same, by its path.
private func refuseUnknownKeys(
  of found: Any, beside known: Any, at location: [String], unless isRead: ([String]) -> Bool
) throws {
  if let found = found as? [String: Any], let known = known as? [String: Any] {
    for (key, value) in found.sorted(by: { $0.key < $1.key }) where !(value is NSNull) {
      let path = location + [key]
      if let expected = known[key] {
        try refuseUnknownKeys(of: value, beside: expected, at: path, unless: isRead)
      } else if !isRead(path) {
        throw UnknownKeyError(key: path.joined(separator: "."), known: known.keys.sorted())
      }
    }
  } else if let found = found as? [Any], let known = known as? [Any] {
    for (index, pair) in zip(found, known).enumerated() {
      try refuseUnknownKeys(
        of: pair.0, beside: pair.1, at: location + ["\(index)"], unless: isRead)
    }
  }
}
