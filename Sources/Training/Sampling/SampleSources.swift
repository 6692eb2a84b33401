// Pictures and code shards that samples start from.
import Images
import Models
import Shards
import TensorCore

/// What a sample is given: codes of a picture, or a condition, or both.
package struct SampleStart: Sendable {
  package var name: String
  package var codes: [Int32]?
  package var condition: ConditionInput?
  /// For the sheet: the picture or map that was read.
  package var picture: RGBImage?
  /// The objects that the condition tells of.
  package var objects: RGBImage?

  package init(
    name: String, codes: [Int32]? = nil, condition: ConditionInput? = nil,
    picture: RGBImage? = nil, objects: RGBImage? = nil
  ) {
    self.name = name
    self.codes = codes
    self.condition = condition
    self.picture = picture
    self.objects = objects
  }
}

extension PictureSampler {
  /// Of the pictures that are drawn.
  package var pixelSize: (width: Int, height: Int) {
    let factor = vqgan.config.downsampling
    return (grid.width * factor, grid.height * factor)
  }

  /// Pictures from files or image shards, scaled until they cover the grid, cut, and encoded.
  ///
  /// - Parameters:
  ///   - end: the samples' last number and one, for which so many rows of shards are taken.
  ///   - shown: the starts whose picture is kept.
  /// - Throws: `ImageError`, `ShardError`, `ReconstructionError`, `EncodingError`.
  package func pictures(_ paths: [String], end: Int, shown: ShownStarts) throws -> [SampleStart] {
    try vqgan.requireColourPictures()
    let inputs = try PictureInputs(paths) { SpreadRows($0).first(end) }
    let fitting = try PictureFitting(factor: vqgan.config.downsampling, size: pixelSize)
    let total = min(inputs.count, end)
    return try (0..<total).map { index in
      let fitted = try fitting.fit(try inputs.picture(index)).picture
      let image = Tensor(
        pixels: fitted.picture.pixels, count: 1, height: fitted.picture.height,
        width: fitted.picture.width, on: gpt.model.device)
      return SampleStart(
        name: fitted.name, codes: vqgan.model.encode(.values(image)).elements,
        picture: shown.contains(index, of: total) ? fitted.picture : nil)
    }
  }

  /// Rows of code shards: their codes, and the condition of this GPT that they hold.
  ///
  /// - Parameters:
  ///   - end: the samples' last number and one, for which so many rows are taken.
  ///   - keepsCodes: whether parts of them are given; then, and where the condition lies in a grid as well, only the
  ///     trained size can be drawn.
  ///   - shown: the starts whose pictures are made.
  /// - Throws: `ShardError`, `ConditionError`, `RunError`.
  package func rows(
    _ paths: [String], end: Int, keepsCodes: Bool, shown: ShownStarts
  ) throws -> [SampleStart] {
    let shards = try CodeShardSet(paths)
    try gpt.codes.requireSame(as: shards)
    let hasSize =
      keepsCodes || gpt.condition?.kind == .codes || gpt.condition?.kind == .coordinates
    guard !hasSize || grid == gpt.trainedGrid else {
      throw ConditionError.size(
        path: paths[0], problem: "grids of \(gpt.trainedGrid) codes, but \(grid) are to be drawn")
    }
    let conditions = try gpt.condition.map { try ConditionReader($0, of: shards) }
    let names = try shards.names
    let categories = try categoryNames(shards)
    let rows = SpreadRows(shards.count).first(end)
    return try rows.enumerated().map { index, row in
      let condition = try conditions?.input(row)
      var start = SampleStart(name: names[row], condition: condition)
      let codes = grid == gpt.trainedGrid ? try shards.codes(row) : nil
      if keepsCodes { start.codes = codes }
      if shown.contains(index, of: rows.count) {
        start.picture = codes.map(picture)
        start.objects = plot(condition, categories)
      }
      return start
    }
  }

  /// The names of the categories that the GPT knows, in the order of their tokens.
  private func categoryNames(_ shards: CodeShardSet) throws(ShardError) -> [String] {
    guard let known = gpt.condition?.categories else { return [] }
    let names = Dictionary(try shards.categories.map { (Int($0.id), $0.name) }) { $1 }
    return known.map { names[$0] ?? "category \($0)" }
  }

  private func plot(_ condition: ConditionInput?, _ categories: [String]) -> RGBImage? {
    guard case .scene(let scene) = condition, let tokens = gpt.condition?.sceneTokens else {
      return nil
    }
    return ScenePlot(scene, of: tokens, names: categories)
      .rendered(width: pixelSize.width, height: pixelSize.height)
  }

  /// The coordinates of the whole grid, for a GPT that is conditioned by them.
  package var coordinates: ConditionInput? {
    guard let condition = gpt.condition, condition.kind == .coordinates,
      let size = condition.conditionGrid(of: grid, trained: gpt.trainedGrid)
    else { return nil }
    let factor = pixelSize.height / size.height
    return .grid(
      GPTCondition.coordinates(
        size, factor: factor,
        whole: GridSize(height: size.height * factor, width: size.width * factor),
        tokens: condition.vocabulary), size)
  }
}
