// Several numbers in one option.
import ArgumentParser

/// Numbers with commas between them, such as `0.5,1,2`.
struct NumberList<Number: LosslessStringConvertible & Sendable>: ExpressibleByArgument, Sendable {
  let values: [Number]

  init(_ values: [Number]) { self.values = values }

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    let values = parts.compactMap { Number(String($0)) }
    guard values.count == parts.count, !values.isEmpty else { return nil }
    self.values = values
  }

  var defaultValueDescription: String { values.map { "\($0)" }.joined(separator: ",") }
}
