import Foundation

/// The attribute `preprocessing` of a shard: how its pictures came from those of the corpus.
struct PicturePreprocessing: Encodable {
  let options: PictureIngestOptions
  let remarks: [String: String]

  init(_ options: PictureIngestOptions, remarks: [String: String]) {
    self.options = options
    self.remarks = remarks
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    func key(_ name: String) -> Key { Key(stringValue: name) }
    try container.encode("crop", forKey: key("fit"))
    try container.encode(options.size, forKey: key("size"))
    try container.encode(options.margin, forKey: key("margin"))
    try container.encode(options.crops, forKey: key("crops"))
    try container.encode(options.filter.rawValue, forKey: key("filter"))
    if options.crops > 0 { try container.encode(options.seed, forKey: key("seed")) }
    for (name, remark) in remarks { try container.encode(remark, forKey: key(name)) }
  }

  /// The attribute's text; keys sorted, so that equal options give equal bytes.
  var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let json = try? encoder.encode(self) else {
      preconditionFailure("texts and whole numbers always encode")
    }
    return String(decoding: json, as: UTF8.self)
  }
}
