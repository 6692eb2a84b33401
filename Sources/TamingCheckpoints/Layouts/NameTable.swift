// Names of the same layers in two families of files.

/// Pairs of patterns of module names, read in both directions.
///
/// In a pattern `#` stands for a number, and `~` for the same number counted from the last level.
struct NameTable: Sendable {
  private let rules: [(theirs: [Substring], ours: [Substring])]
  /// Levels of the encoder and of the decoder.
  private let levels: Int

  /// - Parameter rules: the names of modules that have a weight and perhaps a bias, or of both
  ///   themselves.
  init(levels: Int, _ rules: [(theirs: String, ours: String)]) {
    self.levels = levels
    self.rules = rules.map { ($0.theirs.split(separator: "."), $0.ours.split(separator: ".")) }
  }

  /// Our name of a tensor of theirs; nil for a name that they do not have.
  func ours(_ name: String) -> String? { translated(name, from: \.theirs, to: \.ours) }

  /// Their name of a tensor of ours.
  func theirs(_ name: String) -> String? { translated(name, from: \.ours, to: \.theirs) }

  private typealias Side = KeyPath<(theirs: [Substring], ours: [Substring]), [Substring]>

  private func translated(_ name: String, from: Side, to: Side) -> String? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard let leaf = parts.last, leaf == "weight" || leaf == "bias" else { return nil }
    let module = parts.dropLast()
    for rule in rules {
      guard let numbers = numbers(in: module, by: rule[keyPath: from]) else { continue }
      return (build(rule[keyPath: to], numbers) + [String(leaf)]).joined(separator: ".")
    }
    return nil
  }

  /// The numbers in a name that fits a pattern.
  private func numbers(in parts: ArraySlice<Substring>, by pattern: [Substring]) -> [Int]? {
    guard parts.count == pattern.count else { return nil }
    var numbers: [Int] = []
    for (part, expected) in zip(parts, pattern) {
      guard expected == "#" || expected == "~" else {
        if part != expected { return nil }
        continue
      }
      guard let number = Int(part), "\(number)" == part, (0..<4096).contains(number),
        expected == "#" || number < levels
      else { return nil }
      numbers.append(expected == "#" ? number : levels - 1 - number)
    }
    return numbers
  }

  private func build(_ pattern: [Substring], _ numbers: [Int]) -> [String] {
    var left = numbers[...]
    return pattern.map { part in
      guard part == "#" || part == "~", let number = left.popFirst() else { return String(part) }
      return "\(part == "#" ? number : levels - 1 - number)"
    }
  }
}

extension NameTable {
  /// Every rule of `modules`, each with every part that such a module has.
  static func product(
    _ modules: [(theirs: String, ours: String)], _ parts: [(theirs: String, ours: String)]
  ) -> [(theirs: String, ours: String)] {
    modules.flatMap { module in
      parts.map { ("\(module.theirs).\($0.theirs)", "\(module.ours).\($0.ours)") }
    }
  }

  /// Rules of modules that have the same name in both.
  static func same(_ names: String...) -> [(theirs: String, ours: String)] {
    names.map { ($0, $0) }
  }
}
