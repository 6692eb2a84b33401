// How near samples come to the grids that a model was trained on.

/// The grids of a training, searched for copies of them.
package struct CodeCopies: Sendable {
  private let height, width, depth: Int
  private var codes: [Int32] = []  // [N, h·w]
  private var blocks: Set<SIMD4<Int32>> = []
  /// Numbers of positions with several codes, in the order in which they are met.
  private var positions: [ArraySlice<Int32>: Int32] = [:]

  /// Grids of `height` × `width` codes, none yet; `depth` codes of a row make one position.
  package init(height: Int, width: Int, depth: Int = 1) {
    precondition(
      height > 0 && width > 0 && depth > 0 && width % depth == 0,
      "a grid of \(height)×\(width), depth \(depth)")
    (self.height, self.width, self.depth) = (height, width, depth)
  }

  private var length: Int { height * width }

  /// Grids so far.
  package var count: Int { codes.count / length }

  /// Adds a grid of the training, `[h·w]` in raster order.
  package mutating func add(_ grid: [Int32]) {
    precondition(grid.count == length, "\(grid.count) codes for a grid of \(length)")
    codes += grid
    if depth > 1 {
      for position in split(grid) where positions[position] == nil {
        positions[ArraySlice(Array(position))] = Int32(positions.count)  // not the whole grid
      }
    }
    blocks.formUnion(blocks(of: grid))
  }

  /// The codes of each position.
  private func split(_ grid: [Int32]) -> [ArraySlice<Int32>] {
    stride(from: 0, to: length, by: depth).map { grid[$0..<$0 + depth] }
  }

  /// The 2×2 blocks of positions of a grid, overlapping; none where a side is 1.
  private func blocks(of grid: [Int32]) -> [SIMD4<Int32>] {
    // A position that no training grid has is in no block of one.
    let grid = depth == 1 ? grid : split(grid).map { positions[$0] ?? -1 }
    let width = width / depth
    var found: [SIMD4<Int32>] = []
    for row in 0..<height - 1 {
      for column in 0..<width - 1 {
        let corner = row * width + column
        found.append(
          SIMD4(grid[corner], grid[corner + 1], grid[corner + width], grid[corner + width + 1]))
      }
    }
    return found
  }

  /// The training grid with the fewest codes that differ, and the blocks that no training grid has.
  ///
  /// - Parameter sample: `[h·w]`; the training has at least one grid.
  /// - Returns: the lowest row wins a tie.
  /// - Complexity: N · h·w comparisons at most; a row is left once it differs more than the best.
  package func nearest(to sample: [Int32]) -> NearestGrid {
    precondition(count > 0, "no grids to compare with")
    precondition(sample.count == length, "\(sample.count) codes for a grid of \(length)")
    var best = (row: 0, distance: length + 1)
    codes.withUnsafeBufferPointer { codes in
      for row in 0..<count where best.distance > 0 {
        var distance = 0
        for position in 0..<length where codes[row * length + position] != sample[position] {
          distance += 1
          if distance >= best.distance { break }
        }
        if distance < best.distance { best = (row, distance) }
      }
    }
    let all = blocks(of: sample)
    return NearestGrid(
      row: best.row, distance: best.distance, blocks: all.count,
      newBlocks: all.count { !blocks.contains($0) })
  }
}

/// The training grid that is nearest to a sample.
package struct NearestGrid: Equatable, Sendable {
  package let row: Int  // among the training grids
  package let distance: Int  // Hamming: positions with another code; 0 for a copy
  package let blocks: Int  // 2×2 blocks of the sample
  package let newBlocks: Int  // those that no training grid has

  package init(row: Int, distance: Int, blocks: Int, newBlocks: Int) {
    self.row = row
    self.distance = distance
    self.blocks = blocks
    self.newBlocks = newBlocks
  }
}

/// How many samples are copies; encodes as JSON.
package struct CopySummary: Encodable, Equatable, Sendable {
  package let samples: Int
  /// The fraction of samples that are training grids, code for code.
  package let verbatim: Double
  /// The fraction of 2×2 blocks that no training grid has; nil for grids without blocks.
  package let newBlocks: Double?
  /// Minimum, 5 %, 25 %, median, 75 %, 95 % and maximum of the distances to the nearest grids, as
  /// fractions of the positions; a quantile between two samples is that of the nearer rank.
  package let quantiles: [Double]

  static let levels = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]

  /// - Parameters:
  ///   - found: of every sample, at least one.
  ///   - positions: of a grid, h·w.
  package init(_ found: [NearestGrid], positions: Int) {
    precondition(!found.isEmpty, "a summary of no samples")
    let distances = found.map(\.distance).sorted()
    let blocks = found.reduce(0) { $0 + $1.blocks }
    samples = found.count
    verbatim = Double(found.count { $0.distance == 0 }) / Double(found.count)
    newBlocks =
      blocks == 0 ? nil : Double(found.reduce(0) { $0 + $1.newBlocks }) / Double(blocks)
    quantiles = Self.levels.map { level in
      let rank = (level * Double(distances.count - 1)).rounded()
      return Double(distances[Int(rank)]) / Double(positions)
    }
  }

  enum CodingKeys: String, CodingKey {
    case samples, verbatim
    case newBlocks = "new_blocks"
    case quantiles = "distance_quantiles"
  }

  /// The samples nearest to the training, nearest first, equally near ones by position.
  package static func closest(_ found: [NearestGrid], count: Int) -> [Int] {
    let order = found.indices.sorted { (found[$0].distance, $0) < (found[$1].distance, $1) }
    return Array(order.prefix(count))
  }
}
