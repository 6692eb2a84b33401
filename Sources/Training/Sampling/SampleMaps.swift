// Label maps and depth maps that are conditions of samples.
import Images
import Models
import RowMaps
import Shards
import TensorCore

extension PictureSampler {
  /// Label maps from PNG files or image shards, scaled to the grid with nearest pixels, cut, and encoded by the conditioning
  /// VQGAN.
  ///
  /// - Parameters:
  ///   - end: the samples' last number and one, for which so many rows of shards are taken.
  ///   - shown: the starts whose map is kept as a picture.
  ///   - stuffNumbers: whether PNG files hold COCO-Stuff's own numbers, one less than those of shards, 255 for none.
  /// - Throws: `ImageError`, `ShardError`, `EncodingError`, `ConditionError`, `FingerprintMismatch`.
  package func labelMaps(
    _ paths: [String], end: Int, shown: ShownStarts, stuffNumbers: Bool,
    encodedBy stage: FirstStage
  ) throws -> [SampleStart] {
    let condition = try conditionCodes(of: stage, reading: .segmentation)
    return try starts(of: paths, end: end, shown: shown) { path in
      var map = try ImageDecoder.decodeLabels(contentsOf: path)
      if stuffNumbers { map.values = map.values.map { $0 &+ 1 } }
      return map
    } row: { set, row in
      guard case .bytes(let values) = try set.row(row, .segmentation) else {
        preconditionFailure("labels have 8 bits")
      }
      return LabelMap(width: set.width, height: set.height, values: values)
    } start: { name, map in
      let fitted = map.fitted(fit(map.width, map.height, to: condition, of: stage))
      try fitted.row.requireLabels(below: stage.config.inChannels, path: name)
      return self.start(name, fitted, .segmentation, condition, encodedBy: stage)
    }
  }

  /// Depth maps from PNG files or image shards, scaled to the grid, cut, and encoded by the conditioning VQGAN.
  ///
  /// - Parameters:
  ///   - end: the samples' last number and one, for which so many rows of shards are taken.
  ///   - shown: the starts whose map is kept as a picture.
  /// - Throws: `ImageError`, `ShardError`, `ConditionError`, `FingerprintMismatch`.
  package func depthMaps(
    _ paths: [String], end: Int, shown: ShownStarts, encodedBy stage: FirstStage
  ) throws -> [SampleStart] {
    let condition = try conditionCodes(of: stage, reading: .depth)
    return try starts(of: paths, end: end, shown: shown) { path in
      try ImageDecoder.decodeDepth(contentsOf: path)
    } row: { set, row in
      guard case .words(let values) = try set.row(row, .depth) else {
        preconditionFailure("depths have 16 bits")
      }
      return DepthMap(width: set.width, height: set.height, stored: values)
    } start: { name, map in
      let fitted = map.fitted(fit(map.width, map.height, to: condition, of: stage))
      return self.start(name, fitted, .depth, condition, encodedBy: stage)
    }
  }

  /// A map as a condition, as a row of a shard would be: the same map gives the same codes by either way.
  private func start(
    _ name: String, _ fitted: some PixelMap, _ map: RowMap, _ condition: GridSize,
    encodedBy stage: FirstStage
  ) -> SampleStart {
    let (width, height) = (fitted.width, fitted.height)
    let input = VQGANInput(
      fitted.row, of: map, count: 1, height: height, width: width, on: gpt.model.device)
    return SampleStart(
      name: name, condition: .grid(stage.model.encode(input).elements, condition),
      picture: RGBImage(fitted.row, of: map, width: width, height: height))
  }

  private func fit(
    _ width: Int, _ height: Int, to condition: GridSize, of stage: FirstStage
  ) -> FitGeometry {
    let factor = stage.config.downsampling
    return FitGeometry(
      from: (width, height), to: (condition.width * factor, condition.height * factor), mode: .crop
    )
  }

  /// What is made of maps of PNG files, then of rows of all the image shards, one map at a time.
  private func starts<Map>(
    of paths: [String], end: Int, shown: ShownStarts, file: (String) throws -> Map,
    row: (ImageShardSet, Int) throws -> Map, start: (String, Map) throws -> SampleStart
  ) throws -> [SampleStart] {
    let files = try paths.filter(PictureInputs.isPicture)
    let shards = paths.filter { !files.contains($0) }
    let set = shards.isEmpty ? nil : try ImageShardSet(shards)
    let rows = set.map { SpreadRows($0.count).first(end) } ?? []
    let total = files.count + rows.count
    let names = try set?.names ?? []
    return try (0..<total).map { index in
      var made: SampleStart
      if let set, index >= files.count {
        let place = rows[index - files.count]
        made = try start(names[place], try row(set, place))
      } else {
        made = try start(files[index], try file(files[index]))
      }
      if !shown.contains(index, of: total) { made.picture = nil }
      return made
    }
  }

  /// The grid of condition codes, made by the VQGAN that the GPT was trained with.
  private func conditionCodes(of stage: FirstStage, reading kind: RowMap) throws -> GridSize {
    guard let condition = gpt.condition, condition.kind == .codes, let own = condition.grid,
      stage.config.input == kind,
      let size = condition.conditionGrid(of: grid, trained: gpt.trainedGrid)
    else {
      throw ConditionError.unfit(
        path: gpt.path, wanted: gpt.condition?.title ?? "nothing",
        found: "\(kind.rawValue) is given")
    }
    try own.require(stage.fingerprint, of: stage.path, for: gpt.path)
    return size
  }
}
