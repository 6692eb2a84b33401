// Label maps and depth maps that are conditions of samples.
import Images
import Models
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
      LabelMap(width: set.width, height: set.height, values: try set.segmentation(row))
    } start: { name, map in
      let fitted = map.fitted(fit(map.width, map.height, to: condition, of: stage))
      if let wrong = fitted.values.first(where: { Int($0) >= stage.config.inChannels }) {
        throw EncodingError.label(path: name, found: Int(wrong), labels: stage.config.inChannels)
      }
      let labels = IndexTensor(
        fitted.values.map { Int32($0) }, shape: [1, fitted.height, fitted.width])
      return SampleStart(
        name: name, condition: .grid(stage.model.encode(.labels(labels)).elements, condition),
        picture: fitted.colored())
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
      DepthMap(width: set.width, height: set.height, stored: try set.depth(row))
    } start: { name, map in
      let fitted = map.fitted(fit(map.width, map.height, to: condition, of: stage))
      // As a row of a shard: the same map gives the same codes by either way.
      let depths = Tensor(
        depths: fitted.stored, count: 1, height: fitted.height, width: fitted.width,
        on: gpt.model.device)
      return SampleStart(
        name: name, condition: .grid(stage.model.encode(.values(depths)).elements, condition),
        picture: fitted.picture)
    }
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
}
