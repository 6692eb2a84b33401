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
  var rows: [Int]
  /// Images that are there.
  package let total: Int
  /// What of the folder is not taken, or that statistics have no images to count.
  let warnings: [String]
  private let reading: ImageReading

  enum Contents {
    case shards(ImageShardSet)
    /// Codes and what decodes them, which some measures do without.
    case codes(CodeShardSet, FirstStage?)
    case file(String)
    case folder(ImageFileFolder)
    case statistics(StatisticsFile, digest: String)
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
    switch contents {
    case .shards(let set): total = set.count
    case .codes(let set, _): total = set.count
    case .file: total = 1
    case .folder(let folder): total = folder.names.count
    case .statistics: total = 0
    }
    warnings =
      switch contents {
      case .folder(let folder): folder.warnings
      case .statistics where count != nil:
        ["\(path): statistics have no images, which --count takes"]
      default: []
      }
    rows = total == 0 ? [] : evenRows(count ?? total, of: total)
  }

  private static func open(
    _ path: String, stage: FirstStage?, reading: ImageReading
  ) throws -> Contents {
    guard DurableFile.isFolder(path) else {
      if path.hasSuffix(".npz") {
        return .statistics(try StatisticsFile(path), digest: try sha256(ofFile: path))
      }
      if try ImageInputs.isImage(path, limits: reading.limits) { return .file(path) }
      return try shards([path], stage)
    }
    let folder = ImageFileFolder(path)
    switch (folder.shards.isEmpty, folder.names.isEmpty) {
    case (true, true): throw EvaluationError.nothing(path: path)
    case (false, false):
      throw EvaluationError.mixed(path: path)
    case (true, false): return .folder(folder)
    case (false, true):
      try ShardManifest.requireComplete(path)
      return try self.shards(folder.shards.map(folder.path(of:)), stage)
    }
  }

  private static func shards(_ paths: [String], _ stage: FirstStage?) throws -> Contents {
    do {
      return .shards(try ImageShardSet(paths))
    } catch ShardError.wrongKind {
      let set = try CodeShardSet(paths)
      try stage?.requireCodes(set.grid, of: paths[0])
      return .codes(set, stage)
    }
  }

  /// Images that are taken; 0 of statistics.
  package var count: Int { rows.count }

  package var statistics: StatisticsFile? {
    if case .statistics(let file, _) = contents { file } else { nil }
  }

  /// SHA-256 of the file of statistics.
  package var digest: String? {
    if case .statistics(_, let digest) = contents { digest } else { nil }
  }

  var moments: FeatureMoments? {
    statistics.map { file in
      FeatureMoments(
        mean: file.mean,
        covariance: DoubleMatrix(file.covariance, rows: file.mean.count, columns: file.mean.count))
    }
  }

  /// Images that are measured: of statistics those they tell of, 0 where they do not.
  var measured: Int { statistics?.origin?.count ?? count }

  /// Whether these are codes, and nothing is there that decodes them.
  var isUndecoded: Bool {
    if case .codes(_, nil) = contents { true } else { false }
  }

  /// Whether its images are in files, which may have an EXIF orientation.
  package var hasFiles: Bool {
    switch contents {
    case .file, .folder: true
    default: false
    }
  }

  /// What it is, for the printed line.
  package var kind: String {
    switch contents {
    case .shards: "image shards"
    case .codes: "code shards"
    case .file, .folder: "image files"
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
  ///
  /// - Throws: errors of the files, `EvaluationError.codesNeedVQGAN`.
  package func images(_ range: Range<Int>) throws -> [RGBImage] {
    switch contents {
    case .shards(let set):
      return try range.map {
        RGBImage(width: set.width, height: set.height, pixels: try set.pixels(rows[$0]))
      }
    case .file(let path): return try range.map { _ in try reading.image(contentsOf: path) }
    case .folder(let folder):
      return try range.map {
        try reading.image(contentsOf: folder.path(of: folder.names[rows[$0]]))
      }
    case .codes(let set, let stage):
      guard let stage else { throw EvaluationError.codesNeedVQGAN(path: set.paths[0]) }
      return try stage.images(try set.codes(range.map { rows[$0] }), of: set.grid)
    case .statistics: return []
    }
  }
}
