// How near the samples of one side come to the grids that a model was trained on.
import Checkpoints
import Foundation
import Images
import Shards
import TensorCore

extension EvaluationSide {
  /// The training grid that is nearest to every grid of code shards; nil of anything but codes.
  ///
  /// - Throws: `CodesMismatch` where the two are not codes of one VQGAN on one grid, errors of the
  ///   files.
  package func nearestGrids(
    in training: CodeShardSet, progress: (_ images: Int) throws -> Void
  ) throws -> [NearestGrid]? {
    guard case .codes(let set, _) = contents else { return nil }
    let grid = set.grid
    try grid.require(training.grid, of: training.paths[0], for: path)
    var copies = CodeCopies(height: grid.height, width: grid.width, depth: grid.depth)
    for row in 0..<training.count {
      copies.add(try training.codes(row))
      if row % 256 == 0 { try progress(0) }
    }
    return try rows.map { row in
      try progress(0)
      return copies.nearest(to: try set.codes(row))
    }
  }

  /// The samples that come nearest to the training, each beside the training image it comes nearest
  /// to, the closest pair first; nil of anything but codes.
  ///
  /// - Parameters: found: of `nearestGrids`; pairs: of the sheet, at most.
  package func closestPairs(
    _ found: [NearestGrid], in training: CodeShardSet, pairs: Int
  ) throws -> RGBImage? {
    guard case .codes(let set, let stage) = contents else { return nil }
    guard let stage else { throw EvaluationError.codesNeedVQGAN(path: set.paths[0]) }
    let closest = CopySummary.closest(found, count: pairs)
    let cells = try closest.map { sample in
      try stage.images(
        try set.codes(rows[sample]) + training.codes(found[sample].row), of: set.grid)
    }
    let copies = found.count { $0.distance == 0 }
    return ContactSheet(
      rows: cells, columnHeaders: ["sample", "training"],
      rowLabels: closest.map { "\(rows[$0]): \(found[$0].row), \(found[$0].distance)" },
      caption: "row of the sample: row of the training, codes that differ of \(set.grid.count). "
        + "\(copies) of \(found.count) samples are copies",
      smallestSide: 84  // room for the headings
    ).rendered()
  }
}

/// What a sample comes nearest to, a line of the list of all samples.
struct NearestLine: Encodable {
  let sample: Int  // row
  let row: Int  // among the training grids
  let distance: Int  // codes that differ
  let newBlocks: Int

  enum CodingKeys: String, CodingKey {
    case sample, row, distance
    case newBlocks = "new_blocks"
  }
}

extension EvaluationSide {
  /// JSON lines of `nearestGrids`, one for every sample.
  func lines(_ found: [NearestGrid]) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return try zip(rows, found).flatMap { sample, nearest in
      try encoder.encode(
        NearestLine(
          sample: sample, row: nearest.row, distance: nearest.distance,
          newBlocks: nearest.newBlocks)) + [UInt8(ascii: "\n")]
    }
  }
}

extension FirstStage {
  /// The images of several grids of codes, `[N, h·w]`.
  ///
  /// - Throws: `NotFiniteError`.
  package func images(
    _ codes: [Int32], of grid: CodeGrid
  ) throws(NotFiniteError) -> [RGBImage] {
    let indices = IndexTensor(codes, shape: [codes.count / grid.count, grid.height, grid.width])
    return try images(of: indices)
  }
}
