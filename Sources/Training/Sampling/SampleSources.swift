// Images and code shards that samples start from.
import Images
import Models
import Shards
import TensorCore

extension ImageSampler {
  /// Images from files or image shards, scaled until they cover the grid, cut, and encoded.
  ///
  /// - Throws: `ImageError`, `ShardError`, `ReconstructionError`, `EncodingError`; so does reading.
  package func images(
    _ paths: [String], reading: ImageReading = ImageReading()
  ) throws -> SampleSource {
    try vqgan.requireColourImages()
    let inputs = try ImageInputs(paths, reading: reading) { rows in
      let order = SpreadRows(rows)
      return (0..<rows).map { order[$0] }
    }
    let fitting = try ImageFitting(
      factor: vqgan.config.downsampling, size: pixelSize,
      filter: vqgan.config.resizing)
    return SampleSource(rows: inputs.count) { index in
      let read = { try fitting.fit(try inputs.image(index)).image }
      let image = try read()
      let input = try vqgan.input(
        [image.image], named: { _ in image.name }, on: gpt.model.device)
      return SampleInput(codes: try vqgan.encode(input).elements) { try read().image }
    }
  }

  /// Rows of code shards: their codes, and the condition of this GPT that they hold.
  ///
  /// - Parameter keepsCodes: whether parts of them are kept; then, and where the condition lies in
  ///   a grid as well, only the trained size can be sampled.
  /// - Throws: `ShardError`, `ConditionError`, `CodesMismatch`; so does reading.
  package func rows(_ paths: [String], keepsCodes: Bool) throws -> SampleSource {
    let shards = try CodeShardSet(paths)
    try gpt.codes.require(shards.grid, of: paths[0], for: gpt.path)
    let hasTrainedSize = grid == gpt.trainedGrid
    guard hasTrainedSize || !keepsCodes && gpt.condition?.grid == nil else {
      throw ConditionError.size(
        path: paths[0], problem: "grids of \(gpt.trainedGrid) codes, but \(grid) are to be sampled")
    }
    let condition = try gpt.condition?.reader(of: shards)
    let plot = try plot(shards)
    let rows = SpreadRows(shards.count)
    return SampleSource(rows: shards.count) { index in
      let row = rows[index]
      let codes = hasTrainedSize ? try shards.codes(row) : nil
      let condition = try condition?(row)
      return SampleInput(
        codes: keepsCodes ? codes : nil, condition: condition,
        image: codes.map { codes in { try image(codes) } }, objects: plot(condition))
    }
  }

  /// What draws the objects of a condition, with the names that shards give their categories.
  private func plot(
    _ shards: CodeShardSet
  ) throws(ShardError) -> (ConditionInput?) -> (() -> RGBImage)? {
    guard case .objects(let objects) = gpt.condition?.kind, let known = objects.categories else {
      return { _ in nil }
    }
    let given = Dictionary(try shards.categories.map { (Int($0.id), $0.name) }) { $1 }
    let names = known.map { given[$0] ?? "category \($0)" }
    return { condition in
      guard case .scene(let scene) = condition else { return nil }
      return {
        ScenePlot(scene, of: objects.sceneTokens, names: names)
          .rendered(width: pixelSize.width, height: pixelSize.height)
      }
    }
  }

  /// The coordinates of the whole grid, for a GPT that is conditioned by them.
  package func coordinates(_ condition: CoordinatesCondition) -> SampleSource {
    guard let size = conditionGrid else { preconditionFailure("coordinates without a grid") }
    let factor = pixelSize.height / size.height
    let tokens = CoordinatesCondition.tokens(
      size, factor: factor,
      whole: GridSize(height: size.height * factor, width: size.width * factor),
      vocabulary: condition.vocabulary)
    return SampleSource(named: 1) { _ in SampleInput(condition: .grid(tokens, size)) }
  }
}
