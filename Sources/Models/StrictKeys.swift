// Configuration files are complete: a missing key is an error by synthesis, an unknown one by this check.

/// A key that no configuration has.
package struct UnknownKeyError: Error, Equatable, CustomStringConvertible {
  package let key: String
  package let known: [String]

  package var description: String {
    "unknown key \"\(key)\"; known are \(known.joined(separator: ", "))"
  }
}

/// Any string as a key.
struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

extension Swift.Decoder {
  /// Throws if the object has a key that is not one of `Keys`.
  package func refuseUnknownKeys<Keys: CodingKey & CaseIterable>(_ keys: Keys.Type) throws {
    let known = Set(Keys.allCases.map(\.stringValue))
    for key in try container(keyedBy: AnyKey.self).allKeys where !known.contains(key.stringValue) {
      throw UnknownKeyError(key: key.stringValue, known: known.sorted())
    }
  }
}
