// The files that sample-gpt leaves.
import CommandSupport
import Images
import Models
import Shards
import Training

/// Writes samples: images, a sheet of them, a code shard and an animation.
struct SampleWriter {
  let options: SampleOptions
  let sampler: ImageSampler
  let inputs: SampleInputs
  let folder: OutputFolder
  let writer: ResultWriter

  /// More would make a page that nobody can open.
  private static let imagesOnSheet = 256
  /// Images side by side in a sheet of several settings, and in an animation.
  static let columns = 16
  static let moving = 4

  func draw(
    count: Int, _ sample: (Int) throws -> Sample, _ advance: (Int) throws -> Void
  ) throws {
    let settings = options.settings
    var shard = try options.codesOut.map {
      try SampleShardWriter($0, of: sampler, toolVersion: SuiteVersion.current)
    }
    var rows: [[RGBImage]] = []
    var first: [[Int32]] = []
    for setting in settings {
      var row: [RGBImage] = []
      try sampler.draw(
        0..<count, sample, setting, batchSize: options.batchSize, progress: advance
      ) { sample, codes in
        let name = sample.name + (settings.count > 1 ? setting.suffix : "")
        let image = try sampler.image(codes)
        let path = folder("\(name).png")
        try image.writePNG(to: path)
        try writer.path(path)
        shard?.append(sample, codes, name: name)
        if row.count < Self.imagesOnSheet { row.append(image) }
        if rows.isEmpty, first.count < Self.moving { first.append(codes) }
      }
      rows.append(row)
    }
    try shard?.finish()
    if let path = options.animate { try animate(first, to: path) }
    // Those of the first samples; later ones stand on no sheet.
    let numbers = (0..<min(count, Self.columns)).map { options.first + $0 }
    let shown = try numbers.map { try inputs.input($0) }
    let plots = shown.compactMap { $0.objects?() }
    if !plots.isEmpty {
      let path = folder(SampleGPT.objects)
      try Self.square(plots).rendered().writePNG(to: path)
      try writer.path(path)
    }
    let path = folder(SampleGPT.grid)
    let given = try shown.compactMap { try $0.image?() }
    try sheet(rows, given: given, numbers).rendered().writePNG(to: path)
    try writer.path(path)
  }
}
