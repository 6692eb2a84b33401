// Codes other than the positions in the codebook: a numbering of the entries that are in use.
import NN
import TensorCore

/// Codes for those entries alone that a list names; `remap` and `unknown_index` of the published
/// code.
package struct CodeRemap: Layer {
  /// What of a remap stands in the configuration; its list is a tensor of the model.
  package struct Config: Codable, Equatable, Sendable {
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

  /// The code of an entry that is not in the list.
  package enum Unknown: Equatable, Sendable {
    /// Any of the codes. It depends on the entry and its position in the grid alone, so that the
    /// same image has the same codes.
    case random
    /// A code of its own, the last one; the first entry of the list is shown for it.
    case extra
    case code(Int)
  }

  private let config: Config
  private var list: Tensor  // [used]

  /// - Parameter entries: those in use, by their codes; the first ones of the codebook if left out.
  package init(_ config: Config, entries: [Int]? = nil, on device: Device = .default) {
    self.config = config
    list = Tensor(
      (entries ?? Array(0..<config.used)).map { Float($0) }, shape: [config.used], on: device)
  }

  /// The entries in use by their codes.
  package var used: IndexTensor {
    IndexTensor(list.elements().map { Int32($0) }, shape: list.shape)
  }

  /// The codes of entries of the codebook, both `[N, h, w]`; the first of equal ones counts.
  package func codes(of entries: IndexTensor) -> IndexTensor {
    var codes: [Int32: Int32] = [:]
    for (code, entry) in used.elements.enumerated() where codes[entry] == nil {
      codes[entry] = Int32(code)
    }
    let positions = entries.count / max(entries.shape[0], 1)
    let found = entries.elements.enumerated().map { index, entry in
      codes[entry] ?? unknown(entry, at: index % max(positions, 1))
    }
    return IndexTensor(found, shape: entries.shape)
  }

  /// The entries of the codebook that codes stand for, both `[N, h, w]`.
  package func entries(of codes: IndexTensor) -> IndexTensor {
    let list = used.elements
    let found = codes.elements.map { Int($0) < list.count ? list[Int($0)] : list[0] }
    return IndexTensor(found, shape: codes.shape)
  }

  private func unknown(_ entry: Int32, at position: Int) -> Int32 {
    switch config.unknownIndex {
    case .extra: return Int32(config.used)
    case .code(let code): return Int32(code)
    case .random:
      var random = RandomSource(seed: 0).stream("unknown entries").stream(position)
        .stream(Int(entry))
      return min(Int32(random.uniform() * Float(config.used)), Int32(config.used - 1))
    }
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try visit("used", &list)
  }
}

extension CodeRemap.Unknown: Codable {
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
