// Pictures, label maps and shards that samples start from.
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

  package init(
    name: String, codes: [Int32]? = nil, condition: ConditionInput? = nil, picture: RGBImage? = nil
  ) {
    self.name = name
    self.codes = codes
    self.condition = condition
    self.picture = picture
  }
}

extension PictureSampler {
  private var pixelSize: (width: Int, height: Int) {
    let factor = vqgan.config.downsampling
    return (grid.width * factor, grid.height * factor)
  }

  /// Pictures from files or image shards, scaled until they cover the grid, cut, and encoded.
  ///
  /// - Parameter count: rows of shards to take.
  /// - Throws: `ImageError`, `ShardError`, `ReconstructionError`, `EncodingError`.
  package func pictures(_ paths: [String], count: Int) throws -> [SampleStart] {
    try vqgan.requireColourPictures()
    let inputs = try PictureInputs(paths, count: count)
    let fitting = try PictureFitting(factor: vqgan.config.downsampling, size: pixelSize)
    return try (0..<min(inputs.count, count)).map { index in
      let fitted = try fitting.fit(try inputs.picture(index)).picture
      let image = Tensor(
        pixels: fitted.picture.pixels, count: 1, height: fitted.picture.height,
        width: fitted.picture.width, on: gpt.model.device)
      return SampleStart(
        name: fitted.name, codes: vqgan.model.encode(image).elements, picture: fitted.picture)
    }
  }

  /// Label maps from PNG files or image shards, scaled to the grid with nearest pixels, cut, and encoded by the conditioning
  /// VQGAN.
  ///
  /// - Parameters:
  ///   - count: rows of shards to take.
  ///   - stuffNumbers: whether PNG files hold COCO-Stuff's own numbers, one less than those of shards, 255 for none.
  /// - Throws: `ImageError`, `ShardError`, `EncodingError`, `ConditionError`, `FingerprintMismatch`.
  package func labelMaps(
    _ paths: [String], count: Int, stuffNumbers: Bool, encodedBy stage: FirstStage
  ) throws -> [SampleStart] {
    let condition = try conditionCodes(of: stage, reading: .segmentation)
    return try LabelMapInputs(paths, count: count, stuffNumbers: stuffNumbers).maps.map {
      name, map in
      let (width, height) = (
        condition.width * stage.config.downsampling, condition.height * stage.config.downsampling
      )
      let fitted = map.fitted(
        FitGeometry(
          from: (map.width, map.height), to: (width, height), mode: .crop))
      if let wrong = fitted.values.first(where: { Int($0) >= stage.config.inChannels }) {
        throw EncodingError.label(path: name, found: Int(wrong), labels: stage.config.inChannels)
      }
      let labels = IndexTensor(fitted.values.map { Int32($0) }, shape: [1, height, width])
      return SampleStart(
        name: name, condition: .grid(stage.model.encode(.labels(labels)).elements, condition),
        picture: fitted.colored())
    }
  }

  /// The grid of condition codes, made by the VQGAN that the GPT was trained with.
  private func conditionCodes(of stage: FirstStage, reading kind: VQGANInputKind) throws -> GridSize
  {
    guard let condition = gpt.condition, condition.kind == .codes, let own = condition.grid,
      VQGANInputKind(stage.config) == kind,
      let size = condition.conditionGrid(of: grid, trained: gpt.trainedGrid)
    else {
      throw ConditionError.unfit(
        path: gpt.path, wanted: gpt.condition?.title ?? "nothing",
        found: "\(kind.rawValue) is given")
    }
    try own.require(stage.fingerprint, of: stage.path, for: gpt.path)
    return size
  }

  /// Rows of code shards: their codes, and the condition of this GPT that they hold.
  ///
  /// - Throws: `ShardError`, `ConditionError`, `RunError`.
  package func rows(_ paths: [String], count: Int) throws -> [SampleStart] {
    let shards = try CodeShardSet(paths)
    try gpt.codes.requireSame(as: shards)
    guard grid == gpt.trainedGrid else {
      throw ConditionError.size(
        path: paths[0], problem: "grids of \(gpt.trainedGrid) codes, but \(grid) are to be drawn")
    }
    let conditions = try gpt.condition.map { try ConditionReader($0, of: shards) }
    let names = try shards.names
    let taken = min(count, shards.count)
    return try (0..<taken).map { index in
      let row = index * shards.count / taken
      let codes = try shards.codes(row)
      return SampleStart(
        name: names[row], codes: codes, condition: try conditions?.input(row),
        picture: picture(codes))
    }
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

/// Label maps of PNG files and of image shards.
private struct LabelMapInputs {
  var maps: [(name: String, map: LabelMap)] = []

  init(_ paths: [String], count: Int, stuffNumbers: Bool) throws {
    var shards: [String] = []
    for path in paths {
      guard path.hasSuffix(".png") else {
        shards.append(path)
        continue
      }
      var map = try ImageDecoder.decodeLabels(contentsOf: path)
      if stuffNumbers { map.values = map.values.map { $0 &+ 1 } }
      maps.append((path, map))
    }
    guard !shards.isEmpty else { return }
    let set = try ImageShardSet(shards)
    let names = try set.names
    let taken = min(count, set.count)
    for index in 0..<taken {
      let row = index * set.count / taken
      maps.append(
        (
          names[row],
          LabelMap(width: set.width, height: set.height, values: try set.segmentation(row))
        ))
    }
  }
}
