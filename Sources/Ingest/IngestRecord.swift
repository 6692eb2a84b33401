import Foundation

/// All that decides about the bytes of shards, each option noted once: for the manifest as one
/// types it, and for the shards' attribute `preprocessing` under a key of its own.
package struct IngestRecord: Sendable {
  /// The values by option.
  private(set) var options: [String: String] = [:]
  private var attribute: [String: Value] = [:]

  private struct Value: Encodable, Sendable {
    let value: any Encodable & Sendable
    func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
  }

  /// Notes an option's value.
  ///
  /// - Parameter key: of the attribute; nil for what says nothing of how the images were made.
  mutating func note(
    _ option: String, _ value: some Encodable & Sendable & CustomStringConvertible,
    as key: String? = nil
  ) {
    options[option] = value.description
    if let key { remark(key, value) }
  }

  /// Notes the annotation files that were read.
  ///
  /// - Parameter digests: each one's name and SHA-256.
  mutating func note(annotations digests: [String]) {
    if !digests.isEmpty { options[Self.annotations] = digests.joined(separator: ", ") }
  }

  /// The options of versions that did not note the annotation files.
  var formerOptions: [String: String] { options.filter { $0.key != Self.annotations } }

  private static let annotations = "annotations"

  /// Notes what the attribute alone says.
  mutating func remark(_ key: String, _ value: some Encodable & Sendable) {
    attribute[key] = Value(value: value)
  }

  /// The text of the attribute; keys sorted, so that equal options give equal bytes.
  var preprocessing: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let json = try? encoder.encode(attribute) else {
      preconditionFailure("texts and integers always encode")
    }
    return String(decoding: json, as: UTF8.self)
  }
}
