// Shards of any content for tests.
import RowMaps
import Shards

/// Writes an image shard.
///
/// - Parameters:
///   - rows: how many; row `i` has the number and the name `i` unless `name` tells another.
///   - maps: those that rows have beside their pixels, `[H, W]` each.
///   - palette: of palette maps, where rows have them.
///   - pixels: `[H, W, 3]` of a row.
@discardableResult
package func imageShard(
  _ path: String, rows: Int, height: Int = 16, width: Int = 16, split: String = "train",
  compression: ShardCompression = .none, name: (Int) -> String = { "\($0)" },
  labels: [(String, ShardColumn)] = [], objects: [[ShardObject]]? = nil,
  categories: [ShardCategory]? = nil, maps: (Int) -> [RowMap: RowValues] = { _ in [:] },
  palette: Palette? = nil, pixels: (Int) -> [UInt8]
) throws -> FinishedShard {
  let writer = try ImageShardWriter(
    path,
    header: ImageShardHeader(
      height: height, width: width, source: "test", split: split, preprocessing: "{}",
      toolVersion: "test", maps: Array(maps(0).keys), palette: palette),
    compression: compression)
  for row in 0..<rows {
    try writer.append(
      writer.encoder.encode(pixels(row), maps: maps(row), id: Int64(row), name: name(row)))
  }
  for (name, column) in labels { writer.setLabels(name, column) }
  if let objects { writer.setObjects(objects) }
  if let categories { writer.setCategories(categories) }
  return try writer.finish()
}

/// Writes an image shard with palette maps.
///
/// - Parameter numbers: of the colours of a row's pixels, `[H, W]`.
@discardableResult
package func paletteShard(
  _ path: String, _ palette: Palette, rows: Int, height: Int = 16, width: Int = 16,
  split: String = "train", numbers: (Int) -> [UInt8]
) throws -> FinishedShard {
  try imageShard(
    path, rows: rows, height: height, width: width, split: split,
    maps: { [.palette: .bytes(numbers($0))] }, palette: palette,
    pixels: { palette.pixels(of: numbers($0)) ?? [] })
}

/// Writes a code shard of one VQGAN.
///
/// - Parameters:
///   - grid: height and width, in codes.
///   - codes: of a row, and of its condition where the shard has them.
@discardableResult
package func codeShard(
  _ path: String, rows: Int, grid: (Int, Int), codebook: Int = 64, fingerprint: String,
  vqgan: String = "", split: String = "train", downsampling: Int = 0,
  condition: ConditionCodes? = nil, labels: [(String, ShardColumn)] = [],
  categories: [ShardCategory]? = nil, depth: Int = 1,
  codes: (Int) -> (own: [Int32], condition: [Int32]?)
) throws -> FinishedShard {
  let writer = try CodeShardWriter(
    path,
    header: CodeShardHeader(
      grid: CodeGrid(
        height: grid.0, width: grid.1, codebookSize: codebook, fingerprint: fingerprint,
        vqgan: vqgan, depth: depth),
      sourceShards: [], source: "test", split: split, toolVersion: "test",
      downsampling: downsampling, condition: condition))
  for row in 0..<rows {
    let (own, condition) = codes(row)
    writer.append(own, condition: condition, id: Int64(row), name: "\(row)")
  }
  for (name, column) in labels { writer.setLabels(name, column) }
  writer.setLists(captions: nil, objects: nil, categories: categories)
  return try writer.finish()
}
