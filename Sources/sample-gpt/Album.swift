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
  private static let columns = 16
  private static let moving = 4
  private static let frames = 48

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
    let objects = starts.compactMap(\.objects).prefix(Self.columns)
    if !objects.isEmpty {
      let path = folder(SampleGPT.objects)
      let columns = Int(Double(objects.count).squareRoot().rounded(.up))
      try ContactSheet(Array(objects), columns: columns).rendered().writePNG(to: path)
      try writer.path(path)
    }
    let path = folder(SampleGPT.grid)
    try sheet(rows, count: count).rendered().writePNG(to: path)
    try writer.path(path)
  }

  private func sheet(_ rows: [[RGBImage]], count: Int) -> ContactSheet {
    let hasPictures = starts.contains { $0.picture != nil }
    guard rows.count > 1 || hasPictures else {
      let columns = Int(Double(rows[0].count).squareRoot().rounded(.up))
      return ContactSheet(rows[0], columns: columns)
    }
    let columns = min(Self.columns, rows[0].count)
    let numbers = (0..<columns).map { options.first + $0 }
    var all = rows.map { Array($0.prefix(columns)) }
    var labels = options.settings.map(\.label)
    if hasPictures {
      let picture = all[0][0]
      let blank = RGBImage(width: picture.width, height: picture.height, filledWith: .black)
      all.insert(numbers.map { starts[$0 % starts.count].picture ?? blank }, at: 0)
      labels.insert("given", at: 0)
    }
    return ContactSheet(
      rows: all, columnHeaders: numbers.map { "\($0)" }, rowLabels: labels)
  }

  /// The first pictures filling up in the order in which they were drawn.
  private func animate(_ codes: [[Int32]], to path: String) throws {
    let order = sampler.drawingOrder.filter { isGiven?[$0] != true }
    let steps = min(Self.frames, order.count)
    let factor = sampler.vqgan.config.downsampling
    let frames = (0...steps).map { step -> RGBImage in
      let missing = order[(order.count * step / steps)...]
      let pictures = codes.map { codes -> RGBImage in
        var shown = codes
        for cell in missing { shown[cell] = 0 }
        var picture = sampler.picture(shown)
        for cell in missing {
          picture.fill(
            PixelRect(
              x: cell % sampler.grid.width * factor, y: cell / sampler.grid.width * factor,
              width: factor, height: factor), with: .grey(96))
        }
        return picture
      }
      return ContactSheet(pictures, columns: Self.moving).rendered()
    }
    try AnimatedPNG.write(frames, milliseconds: 80, to: path)
  }
}
