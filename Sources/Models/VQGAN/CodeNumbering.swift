// Codes other than the places in the codebook: a numbering of the entries that are in use.
import TensorCore

/// A numbering of those entries alone that a list names; `remap` and `unknown_index` of the published code.
///
/// The list itself is a tensor of the model, `quantize.used`.
package struct CodeNumbering: Codable, Equatable, Sendable {
  /// The code of an entry that is not in the list.
  package enum Unknown: Equatable, Sendable {
    /// Any of the codes. Here it depends on the entry and its place in the grid alone, so that the same picture has the
    /// same codes.
    case random
    /// A code of its own, the last one; the first entry of the list is shown for it.
    case extra
    case code(Int)
  }

  package var used: Int  // entries in the list
  package var unknownIndex: Unknown

  package init(used: Int, unknownIndex: Unknown = .random) {
    self.used = used
    self.unknownIndex = unknownIndex
  }

  /// Number of codes.
  package var codes: Int { used + (unknownIndex == .extra ? 1 : 0) }

  var problem: String? {
    if used < 1 { return "remap.used is \(used); it needs at least 1" }
    if case .code(let code) = unknownIndex, !(0..<used).contains(code) {
      return "remap.unknown_index is \(code); it needs 0 up to \(used)"
    }
    return nil
  }

  enum CodingKeys: String, CodingKey {
    case used
    case unknownIndex = "unknown_index"
  }
}

extension CodeNumbering {
  /// The codes of entries of the codebook, both `[N, h, w]`.
  ///
  /// - Parameter list: the entries in use, by code; the first of equal ones counts.
  package func codes(of entries: IndexTensor, _ list: [Int32]) -> IndexTensor {
    var codes: [Int32: Int32] = [:]
    for (code, entry) in list.enumerated() where codes[entry] == nil { codes[entry] = Int32(code) }
    let places = entries.count / max(entries.shape[0], 1)
    let found = entries.elements.enumerated().map { index, entry in
      codes[entry] ?? unknown(entry, at: index % max(places, 1))
    }
    return IndexTensor(found, shape: entries.shape)
  }

  /// The entries of the codebook that codes stand for.
  package func entries(of codes: IndexTensor, _ list: [Int32]) -> IndexTensor {
    let found = codes.elements.map { Int($0) < list.count ? list[Int($0)] : list[0] }
    return IndexTensor(found, shape: codes.shape)
  }

  private func unknown(_ entry: Int32, at place: Int) -> Int32 {
    switch unknownIndex {
    case .extra: return Int32(used)
    case .code(let code): return Int32(code)
    case .random:
      var random = RandomSource(seed: 0).stream("unknown entries").stream(place).stream(Int(entry))
      return min(Int32(random.uniform() * Float(used)), Int32(used - 1))
    }
  }
}

extension CodeNumbering.Unknown: Codable {
  package init(from decoder: any Swift.Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let code = try? value.decode(Int.self) {
      self = .code(code)
      return
    }
    switch try value.decode(String.self) {
    case "random": self = .random
    case "extra": self = .extra
    case let other:
      throw DecodingError.dataCorruptedError(
        in: value, debugDescription: "unknown_index is \(other); it is random, extra or a code")
    }
  }

  package func encode(to encoder: any Swift.Encoder) throws {
    var value = encoder.singleValueContainer()
    switch self {
    case .random: try value.encode("random")
    case .extra: try value.encode("extra")
    case .code(let code): try value.encode(code)
    }
  }
}
