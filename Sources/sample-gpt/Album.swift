// The files that sample-gpt leaves.
import CommandSupport
import Images
import Models
import Shards
import Training

/// Draws samples and writes pictures, a sheet of them, a code shard and a moving picture.
struct Album {
  let options: SampleOptions
  let sampler: PictureSampler
  let starts: [SampleStart]
  let isGiven: [Bool]?
  let folder: OutputFolder
  let writer: ResultWriter

  /// More would make a page that nobody can open.
  private static let picturesOnSheet = 256
  /// Pictures side by side in a sheet of several settings, and in a moving picture.
  static let columns = 16
  static let moving = 4

  func draw(
    count: Int, _ request: (Int) -> SampleRequest, _ advance: (Int) throws -> Void
  ) throws {
    let settings = options.settings
    let shard = try options.codesOut.map {
      try CodeShardWriter($0, header: sampler.header(toolVersion: SuiteVersion.current))
    }
    var rows: [[RGBImage]] = []
    var first: [[Int32]] = []
    var labels: [Int32] = []
    for setting in settings {
      var row: [RGBImage] = []
      for start in stride(from: 0, to: count, by: options.batchSize) {
        let requests = (start..<min(start + options.batchSize, count)).map(request)
        let drawn = try sampler.codes(
          requests, isGiven: isGiven, options: setting.options, progress: advance)
        for (request, codes) in zip(requests, drawn) {
          let name = request.name + (settings.count > 1 ? setting.suffix : "")
          let picture = sampler.picture(codes)
          let path = folder("\(name).png")
          try picture.writePNG(to: path)
          try writer.path(path)
          shard?.append(codes, id: Int64(request.number), name: name)
          if case .tokens(let tokens) = request.condition { labels += tokens }
          if row.count < Self.picturesOnSheet { row.append(picture) }
          if rows.isEmpty, first.count < Self.moving { first.append(codes) }
        }
      }
      rows.append(row)
    }
    if let shard, let column = sampler.gpt.condition?.column, labels.count == shard.count {
      shard.setLabels(column, .int32(labels))
    }
    try shard?.finish()
    if let path = options.animate { try animate(first, to: path) }
    if let plots = objects(count: count) {
      let path = folder(SampleGPT.objects)
      try plots.rendered().writePNG(to: path)
      try writer.path(path)
    }
    let path = folder(SampleGPT.grid)
    try sheet(rows, count: count).rendered().writePNG(to: path)
    try writer.path(path)
  }
}
