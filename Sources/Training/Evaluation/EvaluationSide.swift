// One side of a comparison: images in shards or files, codes, or statistics.
import Checkpoints
import DurableFiles
import Images
import Metrics
import Shards
import TensorCore

/// Where images, or their statistics, come from.
package struct EvaluationSide {
  package let path: String
  let contents: Contents
  /// Those that are taken.
  let rows: [Int]
  private let reading: ImageReading

  enum Contents {
    case shards(ImageShardSet)
    case codes(CodeShardSet, FirstStage)
    case files([String])
    case statistics(StatisticsFile)
  }

  /// Opens a file or folder; what it holds decides.
  ///
  /// - Parameters:
  ///   - count: images to take at most, spread evenly; nil for all.
  ///   - stage: decodes codes.
  /// - Throws: errors of the files, `EvaluationError`.
  package init(
    _ path: String, count: Int?, stage: FirstStage?, reading: ImageReading
  ) throws {
    self.path = path
    self.reading = reading
    contents = try Self.open(path, stage: stage, reading: reading)
    let total: Int
    switch contents {
    case .shards(let set): total = set.count
    case .codes(let set, _): total = set.count
    case .files(let files): total = files.count
    case .statistics: total = 0
    }
    rows = total == 0 ? [] : evenRows(count ?? total, of: total)
  }

  private static func open(
    _ path: String, stage: FirstStage?, reading: ImageReading
  ) throws -> Contents {
    guard DurableFile.isFolder(path) else {
      if path.hasSuffix(".npz") { return .statistics(try StatisticsFile(path)) }
      if try ImageInputs.isImage(path, limits: reading.limits) { return .files([path]) }
      return try shards([path], stage)
    }
    let names = DurableFile.names(in: path).filter { !$0.hasPrefix(".") }.sorted()
    func files(_ endings: [String]) -> [String] {
      names.filter { name in endings.contains(where: name.lowercased().hasSuffix) }
        .map { path.hasSuffix("/") ? path + $0 : "\(path)/\($0)" }
    }
    let shards = files([".h5"])
    let images = files([".png", ".jpg", ".jpeg"])
    switch (shards.isEmpty, images.isEmpty) {
    case (true, true): throw EvaluationError.nothing(path: path)
    case (false, false):
      throw EvaluationError.mixed(path: path)
    case (true, false): return .files(images)
    case (false, true):
      try ShardManifest.requireComplete(path)
      return try self.shards(shards, stage)
    }
  }

  private static func shards(_ paths: [String], _ stage: FirstStage?) throws -> Contents {
    do {
      return .shards(try ImageShardSet(paths))
    } catch ShardError.wrongKind {
      let set = try CodeShardSet(paths)
      guard let stage else { throw EvaluationError.codesNeedVQGAN(path: paths[0]) }
      try stage.requireCodes(set.grid, of: paths[0])
      return .codes(set, stage)
    }
  }

  /// Images that are taken; 0 of statistics.
  package var count: Int { rows.count }

  package var statistics: FeatureMoments? {
    guard case .statistics(let file) = contents else { return nil }
    return FeatureMoments(
      mean: file.mean,
      covariance: DoubleMatrix(file.covariance, rows: file.mean.count, columns: file.mean.count))
  }

  /// What it is, for the printed line.
  package var kind: String {
    switch contents {
    case .shards: "image shards"
    case .codes: "code shards"
    case .files: "image files"
    case .statistics: "statistics"
    }
  }

  /// How codes are used, of code shards.
  package func codes() throws -> CodeHistogram? {
    guard case .codes(let set, _) = contents else { return nil }
    var histogram = CodeHistogram(
      codebookSize: set.grid.codebookSize, depth: set.grid.depth)
    for row in rows { histogram.add(try set.codes(row)) }
    return histogram
  }

  /// Some images in their order, decoded where they are codes.
  package func images(_ range: Range<Int>) throws -> [RGBImage] {
    switch contents {
    case .shards(let set):
      return try range.map {
        RGBImage(width: set.width, height: set.height, pixels: try set.pixels(rows[$0]))
      }
    case .files(let files):
      return try range.map { try reading.image(contentsOf: files[rows[$0]]) }
    case .codes(let set, let stage):
      return try stage.images(try set.codes(range.map { rows[$0] }), of: set.grid)
    case .statistics: return []
    }
  }
}
