// reconstruct: images through a VQGAN and back.
import ArgumentParser
import CommandSupport
import Images
import Ingest
import ModelCommands
import Shards
import Training

@main
struct Reconstruct: ModelCommand {
  static let configuration = CommandConfiguration(
    commandName: "reconstruct",
    abstract: "Shows and measures what a VQGAN makes of images.",
    usage: """
      reconstruct INPUT... --vqgan RUN --out IMAGES [--count 32] [--json]
      """,
    discussion: """
      Inputs are image shards, or PNG and JPEG files; what a file holds decides. Prints the path \
      of every reconstruction, then that of sheet.png with inputs and reconstructions side by \
      side. With --json, prints one line of metrics instead.
      """,
    version: SuiteVersion.ofModelCommand)

  @OptionGroup(title: "Input") var input: InputPaths
  @OptionGroup(title: "Input") var photos: PhotoOptions

  @Option(help: ArgumentHelp("Run, checkpoint or file of weights of the VQGAN.", valueName: "path"))
  var vqgan: String

  @Option(help: ArgumentHelp("Folder for the images; made when missing.", valueName: "folder"))
  var out: String

  @Option(help: ArgumentHelp("Rows to take, spread evenly over the shards.", valueName: "rows"))
  var count = 16

  @Option(
    help: ArgumentHelp(
      "Scale and cut every image to this size: one number for a square, or WxH.",
      valueName: "size"),
    transform: ImageSize.init(argument:))
  var size: ImageSize?

  @Flag(help: "Report the metrics of every image too.") var perImage = false

  @OptionGroup(title: "Runtime") var runtime: RuntimeOptions
  @OptionGroup var results: ResultOptions

  func validate() throws {
    guard (1...10_000_000).contains(count) else {
      throw ValidationError("--count must be in 1...10000000, got \(count).")
    }
  }

  func execute() throws {
    let console = runtime.console
    let folder = try OutputFolder(out, refusing: ReconstructionWriter.isPage)
    let device = try runtime.startComputing()
    let stage = try FirstStage.load(vqgan, on: device)
    let reconstructor = try Reconstructor(stage, on: device)
    let fitting = try ImageFitting(
      factor: stage.config.downsampling, size: size.map { ($0.width, $0.height) },
      filter: stage.config.resizing)
    let inputs = try opened(try input.resolve(console: console))
    var writer = ReconstructionWriter(
      in: folder, codebookSize: stage.config.codes, depth: stage.config.depth, of: inputs.count)

    Interruption.install()
    let summary = try Interruption.telling(
      console, folder.hasResults ? "finished images stay" : nil
    ) {
      try reconstruct(inputs, by: reconstructor, fitting, stage, &writer)
    }
    console.note(summary.text)
    try results.writer.write(summary, text: summary.sheet)
  }

  /// Writes all images and the sheet.
  private func reconstruct(
    _ inputs: ImageInputs, by reconstructor: Reconstructor, _ fitting: ImageFitting,
    _ stage: FirstStage, _ writer: inout ReconstructionWriter
  ) throws -> ReconstructionWriter.Summary {
    let console = runtime.console
    let progress = Progress(
      "reconstructing", total: inputs.count, unit: "images", console: console)
    var changes: [String: Int] = [:]
    var batch: [NamedImage] = []
    var backgrounds: [RGBImage?] = []
    func finishBatch() throws {
      let made = try reconstructor.reconstruct(batch)
      for (item, image) in made.images.enumerated() {
        let page = try writer.add(batch[item], image, background: backgrounds[item])
        try report(page, console)
        progress.advance()
      }
      writer.histogram.add(made.codes)
      (batch, backgrounds) = ([], [])
      try Interruption.throwIfRequested()
    }
    for index in 0..<inputs.count {
      let input = try inputs.image(index)
      let (next, change) = try fitting.fit(input)
      if let change { changes[change, default: 0] += 1 }
      if let first = batch.first?.image,
        first.width != next.image.width || first.height != next.image.height
          || batch.count == stage.batchSize(height: first.height, width: first.width)
      {
        try finishBatch()
      }
      batch.append(next)
      let background = inputs.background(of: index, input)
      backgrounds.append(try background.map { try fitting.fit($0).image.image })
    }
    try finishBatch()
    progress.finish()
    for (change, count) in changes.sorted(by: { $0.key < $1.key }) {
      console.note("\(count == 1 ? "1 image" : "\(count) images") of \(change)")
    }
    return try writer.finish()
  }

  /// Sorts the inputs; what is neither an image nor a shard is told as such.
  private func opened(_ paths: [String]) throws -> ImageInputs {
    do {
      return try ImageInputs(paths, count: count, reading: photos.reading)
    } catch ShardError.notAShard(let path, let reason) {
      do throws(ImageError) {
        _ = try ImageDecoder.header(contentsOf: path, limits: photos.size.limits)
      } catch {
        guard case .notAnImage(_, let found) = error else { throw error }
        throw CommandError(
          .badData,
          "\(path): \(found), and no shard: \(reason); expected a PNG or JPEG image, or an image "
            + "shard")
      }
      throw ShardError.notAShard(path: path, reason: reason)
    }
  }

  private func report(_ page: ReconstructionWriter.Page, _ console: Console) throws {
    if perImage { console.note(page.text) }
    if !results.json || perImage { try results.writer.write(page, text: page.path) }
  }
}
