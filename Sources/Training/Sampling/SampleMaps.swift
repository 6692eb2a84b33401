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
  ///   - count: rows of shards to take.
  ///   - stuffNumbers: whether PNG files hold COCO-Stuff's own numbers, one less than those of shards, 255 for none.
  /// - Throws: `ImageError`, `ShardError`, `EncodingError`, `ConditionError`, `FingerprintMismatch`.
  package func labelMaps(
    _ paths: [String], count: Int, stuffNumbers: Bool, encodedBy stage: FirstStage
  ) throws -> [SampleStart] {
    let condition = try conditionCodes(of: stage, reading: .segmentation)
    let maps = try Self.maps(paths, count: count) { path in
      var map = try ImageDecoder.decodeLabels(contentsOf: path)
      if stuffNumbers { map.values = map.values.map { $0 &+ 1 } }
      return map
    } row: { set, row in
      LabelMap(width: set.width, height: set.height, values: try set.segmentation(row))
    }
    return try maps.map { name, map in
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
  /// - Parameter count: rows of shards to take.
  /// - Throws: `ImageError`, `ShardError`, `ConditionError`, `FingerprintMismatch`.
  package func depthMaps(
    _ paths: [String], count: Int, encodedBy stage: FirstStage
  ) throws -> [SampleStart] {
    let condition = try conditionCodes(of: stage, reading: .depth)
    let maps = try Self.maps(paths, count: count) { path in
      try ImageDecoder.decodeDepth(contentsOf: path)
    } row: { set, row in
      DepthMap(width: set.width, height: set.height, stored: try set.depth(row))
    }
    return maps.map { name, map in
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

  /// Maps of PNG files, then of rows that are evenly spread over all the image shards.
  private static func maps<Map>(
    _ paths: [String], count: Int, file: (String) throws -> Map,
    row: (ImageShardSet, Int) throws -> Map
  ) throws -> [(name: String, map: Map)] {
    let isFile = { (path: String) in path.hasSuffix(".png") }
    var maps = try paths.filter(isFile).map { (name: $0, map: try file($0)) }
    let shards = paths.filter { !isFile($0) }
    guard !shards.isEmpty else { return maps }
    let set = try ImageShardSet(shards)
    let names = try set.names
    let taken = min(count, set.count)
    for index in 0..<taken {
      let place = index * set.count / taken
      maps.append((names[place], try row(set, place)))
    }
    return maps
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
