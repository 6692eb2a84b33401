// What a comparison of two sets of images found, with everything that defines it.
import Foundation

/// One number with its spread.
package struct MeasuredValue: Sendable, Equatable {
  package let name: String
  package let value: Double
  /// The deviation over subsets or splits.
  package var deviation: Double?
  /// Half the width of the 95 % interval of the bootstrap.
  package var interval: Double?
}

/// A part of what defines the measures.
package enum DefinitionValue: Sendable, Equatable {
  case text(String)
  case number(UInt64)
  case flag(Bool)
}

extension DefinitionValue: CustomStringConvertible, Encodable {
  package var description: String {
    switch self {
    case .text(let text): text
    case .number(let number): "\(number)"
    case .flag(let flag): "\(flag)"
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .text(let text): try container.encode(text)
    case .number(let number): try container.encode(number)
    case .flag(let flag): try container.encode(flag)
    }
  }
}

/// The measures of a comparison; encodes as the JSON of `evaluate`.
package struct EvaluationReport: Encodable {
  package var values: [MeasuredValue] = []
  /// Whatever must be equal for two numbers to be comparable, in the order of the printed line.
  package var definition: [(key: String, value: DefinitionValue)] = []
  package var counts: (reference: Int, candidate: Int) = (0, 0)
  package var warnings: [String] = []
  /// Why measures that nobody named could not be taken; each is a warning, too.
  package var leftOut: [any Error] = []
  /// The colour that marks the player, `c84848`, where sprites were looked for.
  package var player: String?
  /// The file of the sheet of copies.
  package var sheet: String?
  /// The file of the list of all samples with the grids they come nearest to.
  package var nearest: String?
  /// The file of statistics, where they are all that was asked for.
  package var statistics: String?

  /// Adds a warning, once.
  mutating func warn(_ warning: String) {
    if !warnings.contains(warning) { warnings.append(warning) }
  }

  /// One line: the measures, then their definition; below it the paths of lists and sheets.
  package var text: String {
    let numbers = values.map { value in
      var text = "\(value.name) \(Self.number(value.value))"
      if let deviation = value.deviation { text += " ± \(Self.number(deviation))" }
      if let interval = value.interval { text += " [±\(Self.number(interval))]" }
      return text
    }
    let definition = definition.map { "\($0.key) \($0.value)" }
    return (numbers + ["(" + definition.joined(separator: ", ") + ")"]).joined(separator: "  ")
      + [nearest, sheet, statistics].compactMap { $0.map { "\n\($0)" } }.joined()
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e9
      ? String(format: "%.0f", value) : String(format: "%.6g", value)
  }

  private struct Key: CodingKey {
    let stringValue: String
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.init(stringValue) }
    var intValue: Int? { nil }
    init?(intValue: Int) { nil }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    for (key, value) in definition {
      try container.encode(value, forKey: Key(key.replacing(" ", with: "_")))
    }
    try container.encode(counts.reference, forKey: Key("reference_images"))
    try container.encode(counts.candidate, forKey: Key("candidate_images"))
    try container.encode(warnings, forKey: Key("warnings"))
    try container.encodeIfPresent(sheet, forKey: Key("sheet"))
    try container.encodeIfPresent(nearest, forKey: Key("nearest"))
    try container.encodeIfPresent(statistics, forKey: Key("statistics"))
    for value in values {
      try container.encode(value.value, forKey: Key(value.name))
      try container.encodeIfPresent(value.deviation, forKey: Key(value.name + "_sd"))
      try container.encodeIfPresent(value.interval, forKey: Key(value.name + "_ci95"))
    }
  }
}
