// `--set key=value`: single keys of a configuration changed by name.
import Foundation

/// Why `--set` cannot be applied.
package enum OverrideError: Error, Equatable, CustomStringConvertible {
  case notAnAssignment(String)
  case unknownKey(String, known: [String])
  /// - Parameter present: the value of the configuration, as JSON, or that it is left out.
  case wrongValue(key: String, value: String, present: String)

  package var description: String {
    switch self {
    case .notAnAssignment(let text):
      "--set \(text): expected key=value, for example model.n_embed=512"
    case .unknownKey(let key, let known):
      "--set \(key): no such key; there are \(known.joined(separator: ", "))"
    case .wrongValue(let key, let value, let present):
      "--set \(key)=\(value): not a value that \(key) can take; it is now \(present)"
    }
  }
}

/// Changes keys of a `Codable` configuration, dotted paths of the names in its file.
///
/// A key that the file leaves out where it says nothing can be set as well. Keys are set in the
/// order given, and what one of them sets stays where it says something only with a later one.
package func overriding<Config: Codable>(_ config: Config, _ assignments: [String]) throws -> Config
{
  var config = config
  var encoded = try JSONSerialization.jsonObject(with: try JSONEncoder().encode(config))
  for assignment in assignments {
    guard let equals = assignment.firstIndex(of: "="), equals != assignment.startIndex else {
      throw OverrideError.notAnAssignment(assignment)
    }
    let key = String(assignment[..<equals])
    let text = String(assignment[assignment.index(after: equals)...])
    // Numbers, booleans and lists as JSON; anything else is text.
    let value =
      (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) ?? text
    let path = key.split(separator: ".").map(String.init)[...]
    let present = valueOf(path, in: encoded)
    let changed = try replaced(encoded, at: path, by: value, key)
    if present == nil, try !reads(Config.self, path, in: encoded) {
      throw OverrideError.unknownKey(key, known: keys(beside: path, in: encoded))
    }
    do {
      config = try decoded(Config.self, from: changed)
    } catch is DecodingError {
      throw OverrideError.wrongValue(
        key: key, value: text, present: try present.map(json) ?? "the default")
    }
    encoded = changed
  }
  return config
}

/// Whether a configuration reads a key: it then notices a value that no key can have.
func reads<Config: Codable>(
  _ type: Config.Type, _ path: ArraySlice<String>, in object: Any
) throws -> Bool {
  let impossible: [[[Int]]] = [[[]]]
  let changed = try replaced(object, at: path, by: impossible, path.joined(separator: "."))
  do {
    _ = try decoded(type, from: changed)
    return false
  } catch is DecodingError {
    return true
  }
}

private func decoded<Config: Codable>(_ type: Config.Type, from object: Any) throws -> Config {
  try JSONDecoder().decode(type, from: try JSONSerialization.data(withJSONObject: object))
}

private func valueOf(_ path: ArraySlice<String>, in object: Any) -> Any? {
  path.reduce(object as Any?) { ($0 as? [String: Any])?[$1] }
}

private func keys(beside path: ArraySlice<String>, in object: Any) -> [String] {
  (valueOf(path.dropLast(), in: object) as? [String: Any])?.keys.sorted() ?? []
}

private func json(_ value: Any) throws -> String {
  String(
    decoding: try JSONSerialization.data(withJSONObject: value, options: .fragmentsAllowed),
    as: UTF8.self)
}

/// An object with another value at a path, whose last name alone may be new.
private func replaced(_ object: Any, at path: ArraySlice<String>, by value: Any, _ key: String)
  throws -> Any
{
  guard let name = path.first else { return value }
  guard var fields = object as? [String: Any], fields[name] != nil || path.count == 1 else {
    let known = (object as? [String: Any])?.keys.sorted() ?? []
    throw OverrideError.unknownKey(key, known: known)
  }
  fields[name] = try replaced(fields[name] ?? NSNull(), at: path.dropFirst(), by: value, key)
  return fields
}
