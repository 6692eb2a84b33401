// Lists of which every row has its own length, as one flat list and where each row's part begins.

/// Where the parts of a flat list begin: part i is `starts[i]..<starts[i + 1]`.
struct RowStarts: Equatable {
  /// One more than there are parts; ascending from 0.
  private(set) var starts: [Int64] = [0]

  /// The starts of parts of these lengths.
  init(lengths: some Sequence<Int>) {
    for length in lengths { starts.append((starts.last ?? 0) + Int64(length)) }
  }

  /// Reads and checks starts from a file.
  ///
  /// - Parameters:
  ///   - name: their dataset, `GROUP/NAME`.
  ///   - parts: how many parts there are; nil for any number.
  ///   - total: length of the flat list.
  /// - Throws: `missingItem`, `malformed`, `unreadable`.
  init(
    reading name: String, of file: HDF5InputFile, parts: Int?, total: Int
  ) throws(ShardError) {
    guard case .int64(let starts) = try file.dataset(name).values(of: .int64) else {
      preconditionFailure("values of int64 are int64")
    }
    let isAscending = zip(starts, starts.dropFirst()).allSatisfy { $0 <= $1 }
    guard starts.first == 0, starts.last == Int64(total), isAscending,
      parts.map({ starts.count == $0 + 1 }) ?? true
    else {
      throw .malformed(
        path: file.path, item: "/\(name)",
        found: "\(starts.count) starts from \(starts.first ?? 0) to \(starts.last ?? 0)",
        expected: "\(parts.map { "\($0 + 1) " } ?? "")ascending starts from 0 to \(total)")
    }
    self.starts = starts
  }

  /// How many parts there are.
  var count: Int { starts.count - 1 }

  /// The positions of one part in the flat list.
  subscript(part: Int) -> Range<Int> { Int(starts[part])..<Int(starts[part + 1]) }

  var column: ShardColumn { .int64(starts) }
}
