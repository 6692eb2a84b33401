// Label maps and depth maps that are conditions of samples.
import Images
import Models
import RowMaps
import Shards
import TensorCore

extension ImageSampler {
  /// Label maps from PNG files or image shards, scaled to the grid with nearest pixels, cut, and
  /// encoded by the conditioning VQGAN.
  ///
  /// - Parameter stuffNumbers: whether PNG files hold COCO-Stuff's own numbers, one less than those
  ///   of shards, 255 for none.
  /// - Throws: `ImageError`, `ShardError`, `ConditionError`, `CodesMismatch`; reading throws
  ///   `EncodingError` too.
  package func labelMaps(
    _ paths: [String], stuffNumbers: Bool, limits: ImageLimits = .standard,
    encodedBy stage: FirstStage
  ) throws -> SampleSource {
    try maps(paths, .segmentation, limits: limits, encodedBy: stage) { path in
      var map = try ImageDecoder.decodeLabels(contentsOf: path, limits: limits)
      if stuffNumbers { map.values = map.values.map { $0 &+ 1 } }
      return map
    } row: { set, row in
      guard case .bytes(let values) = try set.row(row, .segmentation) else {
        preconditionFailure("labels have 8 bits")
      }
      return LabelMap(width: set.width, height: set.height, values: values)
    }
  }

  /// Depth maps from PNG files or image shards, scaled to the grid, cut, and encoded by the
  /// conditioning VQGAN.
  ///
  /// - Throws: `ImageError`, `ShardError`, `ConditionError`, `CodesMismatch`; so does reading.
  package func depthMaps(
    _ paths: [String], limits: ImageLimits = .standard, encodedBy stage: FirstStage
  ) throws -> SampleSource {
    try maps(paths, .depth, limits: limits, encodedBy: stage) { path in
      try ImageDecoder.decodeDepth(contentsOf: path, limits: limits)
    } row: { set, row in
      guard case .words(let values) = try set.row(row, .depth) else {
        preconditionFailure("depths have 16 bits")
      }
      return DepthMap(width: set.width, height: set.height, stored: values)
    }
  }

  private func geometry(
    _ width: Int, _ height: Int, to condition: GridSize, of stage: FirstStage
  ) -> FitGeometry {
    let (factor, depth) = (stage.config.downsampling, stage.config.depth)
    return FitGeometry(
      from: (width, height), to: (condition.width / depth * factor, condition.height * factor),
      mode: .crop
    )
  }

  /// Maps of PNG files, then of rows of all the image shards, each encoded as a row of a shard
  /// would be: the same map gives the same codes by either way.
  private func maps<Map: PixelMap>(
    _ paths: [String], _ kind: RowMap, limits: ImageLimits, encodedBy stage: FirstStage,
    file: @escaping (String) throws -> Map, row: @escaping (ImageShardSet, Int) throws -> Map
  ) throws -> SampleSource {
    let size = try conditionGrid(of: stage, reading: kind)
    let files = try paths.filter { try ImageInputs.isImage($0, limits: limits) }
    let shards = paths.filter { !files.contains($0) }
    let set = shards.isEmpty ? nil : try ImageShardSet(shards)
    let names = try set?.names ?? []
    let rows = SpreadRows(names.count)
    return SampleSource(named: files.count, rows: names.count) { index in
      let name: String
      let read: () throws -> Map
      if let set, index >= files.count {
        let position = rows[index - files.count]
        name = names[position]
        read = { try row(set, position) }
      } else {
        name = files[index]
        read = { try file(name) }
      }
      let fitted = {
        let map = try read()
        return map.fitted(geometry(map.width, map.height, to: size, of: stage))
      }
      let map = try fitted()
      if kind.isLabels { try map.row.requireLabels(below: stage.config.inChannels, path: name) }
      let input = VQGANInput(
        map.row, of: kind, count: 1, height: map.height, width: map.width, on: gpt.model.device)
      return SampleInput(condition: .grid(try stage.encode(input).elements, size)) {
        let map = try fitted()
        return RGBImage(map.row, of: kind, width: map.width, height: map.height)
      }
    }
  }

  /// The grid of condition codes, made by the VQGAN that the GPT was trained with.
  private func conditionGrid(of stage: FirstStage, reading kind: RowMap) throws -> GridSize {
    guard case .codes(let codes) = gpt.condition?.kind, stage.config.input == kind,
      let size = conditionGrid
    else {
      throw ConditionError.unfit(
        path: gpt.path, wanted: gpt.condition?.title ?? "nothing",
        found: "\(kind.rawValue) is given")
    }
    try stage.requireCodes(codes.grid, of: gpt.path, option: "--condition-vqgan")
    return size
  }
}
