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

/// A value from JSON that has no other keys than the value writes itself.
///
/// - Throws: `UnknownKeyError`, `DecodingError`, and what the value's own decoding throws.
func decodeStrictly<Value: Codable>(_ type: Value.Type, from data: Data) throws -> Value {
  let value = try JSONDecoder().decode(type, from: data)
  try refuseUnknownKeys(
    of: try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed),
    beside: try JSONSerialization.jsonObject(
      with: try JSONEncoder().encode(value), options: .fragmentsAllowed), at: "")
  return value
}

private func refuseUnknownKeys(of found: Any, beside known: Any, at location: String) throws {
  if let found = found as? [String: Any], let known = known as? [String: Any] {
    for (key, value) in found.sorted(by: { $0.key < $1.key }) where !(value is NSNull) {
      let path = location.isEmpty ? key : "\(location).\(key)"
      guard let expected = known[key] else {
        throw UnknownKeyError(key: path, known: known.keys.sorted())
      }
      try refuseUnknownKeys(of: value, beside: expected, at: path)
    }
  } else if let found = found as? [Any], let known = known as? [Any] {
    for (index, pair) in zip(found, known).enumerated() {
      try refuseUnknownKeys(of: pair.0, beside: pair.1, at: "\(location)[\(index)]")
    }
  }
}
