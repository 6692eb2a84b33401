// The actions of a dream as one types them.
import ArgumentParser
import Corpora
import Training

/// `recorded`, `random`, `hold:ACTION` or `list:ACTION*TIMES,...`.
struct ActionsOption: ExpressibleByArgument {
  let actions: DreamActions
  /// As it was typed.
  let argument: String

  static let recorded = ActionsOption(actions: .recorded, argument: "recorded")

  private init(actions: DreamActions, argument: String) {
    (self.actions, self.argument) = (actions, argument)
  }

  var defaultValueDescription: String { argument }

  init?(argument: String) {
    self.argument = argument
    switch argument {
    case "recorded": actions = .recorded
    case "random": actions = .random
    default:
      let parts = argument.split(separator: ":", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { return nil }
      if parts[0] == "hold", let action = Self.action(parts[1]) {
        actions = .listed([action])
      } else if parts[0] == "list", let listed = Self.list(parts[1]) {
        actions = .listed(listed)
      } else {
        return nil
      }
    }
  }

  /// A name of the Arcade Learning Environment, or a number.
  private static func action(_ text: String) -> Int32? {
    if let named = AtariAction(named: text) { return Int32(named.rawValue) }
    return Int32(text).flatMap { $0 >= 0 ? $0 : nil }
  }

  private static func list(_ text: String) -> [Int32]? {
    var listed: [Int32] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let pair = part.split(separator: "*", omittingEmptySubsequences: false).map(String.init)
      guard pair.count <= 2, let action = action(pair[0]),
        let times = pair.count == 2 ? Int(pair[1]) : 1, (1...100_000).contains(times)
      else { return nil }
      listed += Array(repeating: action, count: times)
    }
    return listed
  }

  /// The first action that a model of so many does not know.
  func unknown(of count: Int) -> Int32? {
    guard case .listed(let listed) = actions else { return nil }
    return listed.first { $0 >= count }
  }
}
