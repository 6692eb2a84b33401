import Images
import Shards

/// Rows of shards as one picture.
struct Preview {
  private let pictures: [RGBImage]

  /// Takes rows that are evenly spaced over all the shards.
  init(of paths: [String], rows: Int) throws(ShardError) {
    var starts = [0]
    for path in paths { starts.append(starts[starts.count - 1] + (try ShardContents(path).count)) }
    let total = starts[starts.count - 1]
    guard total > 0 else { throw .noRows(paths: paths) }
    let count = min(rows, total)
    let chosen = (0..<count).map { $0 * total / count }
    var pictures: [RGBImage] = []
    for (shard, path) in paths.enumerated() {
      let local = chosen.filter { starts[shard]..<starts[shard + 1] ~= $0 }.map {
        $0 - starts[shard]
      }
      if !local.isEmpty { pictures += try Self.pictures(of: path, rows: local) }
    }
    self.pictures = pictures
  }

  func write(to path: String) throws(ImageError) {
    let columns = Int(Double(pictures.count).squareRoot().rounded(.up))
    try ContactSheet(pictures, columns: columns).rendered().writePNG(to: path)
  }

  private static func pictures(of path: String, rows: [Int]) throws(ShardError) -> [RGBImage] {
    var pictures: [RGBImage] = []
    switch try ShardContents(path).kind {
    case .images:
      let reader = try ImageShardReader(path)
      for row in rows {
        pictures.append(
          RGBImage(
            width: reader.header.width, height: reader.header.height, pixels: try reader.pixels(row)
          ))
      }
    case .codes:
      let reader = try CodeShardReader(path)
      for row in rows {
        let colors = try reader.codes(row).flatMap { Self.falseColor(of: Int($0)) }
        pictures.append(
          RGBImage(
            width: reader.header.gridWidth, height: reader.header.gridHeight, pixels: colors))
      }
    }
    return pictures
  }

  /// A colour for a code: neighbouring codes get hues far apart, by steps of the golden ratio.
  private static func falseColor(of code: Int) -> [UInt8] {
    let hue = (Double(code) * 0.618_033_988_749_895).truncatingRemainder(dividingBy: 1) * 6
    // Three levels of brightness tell codes of like hue apart.
    let value = [1.0, 0.75, 0.5][code % 3]
    return [5.0, 3.0, 1.0].map { offset in
      let distance = (offset + hue).truncatingRemainder(dividingBy: 6)
      let saturation = 0.8 * max(0, min(distance, 4 - distance, 1))
      return UInt8((value * (1 - saturation) * 255).rounded())
    }
  }
}
