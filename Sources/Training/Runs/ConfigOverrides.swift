// `--set key=value`: single keys of a configuration changed by name.
import Foundation

/// Why `--set` cannot be applied.
package enum OverrideError: Error, Equatable, CustomStringConvertible {
  case notAnAssignment(String)
  case unknownKey(String, known: [String])
  /// - Parameter present: the value of the configuration, as JSON.
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
package func overriding<Config: Codable>(_ config: Config, _ assignments: [String]) throws -> Config
{
  var config = config
  for assignment in assignments {
    guard let equals = assignment.firstIndex(of: "="), equals != assignment.startIndex else {
      throw OverrideError.notAnAssignment(assignment)
    }
    let key = String(assignment[..<equals])
    let text = String(assignment[assignment.index(after: equals)...])
    // Numbers, booleans and lists as JSON; anything else is text.
    let value =
      (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) ?? text
    let encoded = try JSONSerialization.jsonObject(with: try JSONEncoder().encode(config))
    let changed = try replaced(
      encoded, at: key.split(separator: ".").map(String.init)[...], by: value, key)
    do {
      config = try JSONDecoder().decode(
        Config.self, from: try JSONSerialization.data(withJSONObject: changed))
    } catch is DecodingError {
      throw OverrideError.wrongValue(
        key: key, value: text, present: try json(valueOf(key, in: encoded)))
    }
  }
  return config
}

private func valueOf(_ key: String, in object: Any) -> Any {
  key.split(separator: ".").reduce(object) { ($0 as? [String: Any])?[String($1)] ?? NSNull() }
}

private func json(_ value: Any) throws -> String {
  String(
    decoding: try JSONSerialization.data(withJSONObject: value, options: .fragmentsAllowed),
    as: UTF8.self)
}

private func replaced(_ object: Any, at path: ArraySlice<String>, by value: Any, _ key: String)
  throws -> Any
{
  guard let name = path.first else { return value }
  guard var fields = object as? [String: Any], let old = fields[name] else {
    let known = (object as? [String: Any])?.keys.sorted() ?? []
    throw OverrideError.unknownKey(key, known: known)
  }
  fields[name] = try replaced(old, at: path.dropFirst(), by: value, key)
  return fields
}
