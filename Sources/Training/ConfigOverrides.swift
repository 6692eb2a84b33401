// `--set key=value`: single keys of a configuration changed by name.
import Foundation

/// Why `--set` cannot be applied.
package enum OverrideError: Error, Equatable, CustomStringConvertible {
  case notAnAssignment(String)
  case unknownKey(String, known: [String])
  case wrongValue(key: String, value: String, problem: String)

  package var description: String {
    switch self {
    case .notAnAssignment(let text):
      "--set \(text): expected key=value, for example model.n_embed=512"
    case .unknownKey(let key, let known):
      "--set \(key): no such key; there are \(known.joined(separator: ", "))"
    case .wrongValue(let key, let value, let problem): "--set \(key)=\(value): \(problem)"
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
    } catch let DecodingError.typeMismatch(_, context) {
      throw OverrideError.wrongValue(key: key, value: text, problem: context.debugDescription)
    } catch let DecodingError.dataCorrupted(context) {
      throw OverrideError.wrongValue(key: key, value: text, problem: context.debugDescription)
    }
  }
  return config
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
