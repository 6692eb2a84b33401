// Label maps and depth maps that are conditions of samples.
import Images
import Models
import Shards
import TensorCore

extension PictureSampler {
  /// Label maps from PNG files or image shards, scaled to the grid with nearest pixels, cut, and encoded by the conditioning
  /// VQGAN.
  ///
  /// - Parameter stuffNumbers: whether PNG files hold COCO-Stuff's own numbers, one less than those of shards, 255 for none.
  /// - Throws: `ImageError`, `ShardError`, `ConditionError`, `CodesMismatch`; reading throws `EncodingError` too.
  package func labelMaps(
    _ paths: [String], stuffNumbers: Bool, encodedBy stage: FirstStage
  ) throws -> SampleSource {
    let size = try conditionGrid(of: stage, reading: .segmentation)
    let fit = { (map: LabelMap) in map.fitted(geometry(map.width, map.height, to: size, of: stage))
    }
    return try maps(paths) { path in
      var map = try ImageDecoder.decodeLabels(contentsOf: path)
      if stuffNumbers { map.values = map.values.map { $0 &+ 1 } }
      return fit(map)
    } row: { set, row in
      fit(LabelMap(width: set.width, height: set.height, values: try set.segmentation(row)))
    } condition: { name, map in
      if let wrong = map.values.first(where: { Int($0) >= stage.config.inChannels }) {
        throw EncodingError.label(path: name, found: Int(wrong), labels: stage.config.inChannels)
      }
      let labels = IndexTensor(map.values.map { Int32($0) }, shape: [1, map.height, map.width])
      return .grid(stage.model.encode(.labels(labels)).elements, size)
    } picture: {
      $0.colored()
    }
  }

  /// Depth maps from PNG files or image shards, scaled to the grid, cut, and encoded by the conditioning VQGAN.
  ///
  /// - Throws: `ImageError`, `ShardError`, `ConditionError`, `CodesMismatch`; so does reading.
  package func depthMaps(_ paths: [String], encodedBy stage: FirstStage) throws -> SampleSource {
    let size = try conditionGrid(of: stage, reading: .depth)
    let fit = { (map: DepthMap) in map.fitted(geometry(map.width, map.height, to: size, of: stage))
    }
    return try maps(paths) { path in
      fit(try ImageDecoder.decodeDepth(contentsOf: path))
    } row: { set, row in
      fit(DepthMap(width: set.width, height: set.height, stored: try set.depth(row)))
    } condition: { _, map in
      // As a row of a shard: the same map gives the same codes by either way.
      let depths = Tensor(
        depths: map.stored, count: 1, height: map.height, width: map.width, on: gpt.model.device)
      return .grid(stage.model.encode(.values(depths)).elements, size)
    } picture: {
      $0.picture
    }
  }

  private func geometry(
    _ width: Int, _ height: Int, to condition: GridSize, of stage: FirstStage
  ) -> FitGeometry {
    let factor = stage.config.downsampling
    return FitGeometry(
      from: (width, height), to: (condition.width * factor, condition.height * factor), mode: .crop
    )
  }

  /// Maps of PNG files, then of rows of all the image shards.
  private func maps<Map>(
    _ paths: [String], file: @escaping (String) throws -> Map,
    row: @escaping (ImageShardSet, Int) throws -> Map,
    condition: @escaping (_ name: String, Map) throws -> ConditionInput,
    picture: @escaping (Map) -> RGBImage
  ) throws -> SampleSource {
    let files = try paths.filter(PictureInputs.isPicture)
    let shards = paths.filter { !files.contains($0) }
    let set = shards.isEmpty ? nil : try ImageShardSet(shards)
    let names = try set?.names ?? []
    let rows = SpreadRows(names.count)
    return SampleSource(named: files.count, rows: names.count) { index in
      let name: String
      let read: () throws -> Map
      if let set, index >= files.count {
        let place = rows[index - files.count]
        name = names[place]
        read = { try row(set, place) }
      } else {
        name = files[index]
        read = { try file(name) }
      }
      return SampleInput(
        condition: try condition(name, try read()), picture: { picture(try read()) })
    }
  }

  /// The grid of condition codes, made by the VQGAN that the GPT was trained with.
  private func conditionGrid(of stage: FirstStage, reading kind: VQGANInputKind) throws -> GridSize
  {
    guard case .codes(let codes) = gpt.condition?.kind, VQGANInputKind(stage.config) == kind,
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
