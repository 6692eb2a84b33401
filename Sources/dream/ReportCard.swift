// The report card that dream prints, and its files.
import CommandSupport
import DurableFiles
import Images
import Shards
import Training

/// Examines a world model.
struct ReportCard {
  let options: DreamOptions
  let world: WorldStage
  let dreamer: Dreamer
  let recorded: RecordedImages
  let codes: CodeShardSet
  let perceptual: PerceptualMeasure?
  let folder: OutputFolder?
  let writer: ResultWriter
  let console: Console

  /// A line per horizon, and their plot.
  static let files = ["horizon.csv", "horizon.png"]

  /// What is said of one step is over at most so many sequences.
  private static let sequences = 1024

  /// Prints the card, then the paths of its files.
  func write(from starts: [Int]) throws {
    let exam = DreamExam(
      dreamer, recorded: recorded, steps: options.steps, options: options.imagining.sampling,
      batchSize: options.batchSize, legal: try legal(), perceptual: perceptual)
    let progress = Progress(
      "dreaming", total: exam.work(starts: starts.count), unit: "images", console: console)
    let report = try exam.report(starts: starts, sequences: Self.sequences) {
      progress.advance(by: $0)
      try Interruption.throwIfRequested()
    }
    progress.finish()
    let paths = try folder.map { folder in
      let (table, plot) = (folder(Self.files[0]), folder(Self.files[1]))
      try DurableFile.write(Array(report.horizons.csv.utf8), to: table)
      try report.horizons.plot(title: title(report)).writePNG(to: plot)
      return [table, plot]
    }
    try writer.write(report, text: report.text)
    for path in paths ?? [] { try writer.path(path) }
  }

  private func title(_ report: DreamReport) -> String {
    "PSNR in dB beside \(report.hasImages ? "the images" : "reconstructions"): median and 10 to 90 "
      + "% of \(report.starts) starts"
  }

  /// The images of the recordings, and behind them those of `--known`.
  private func legal() throws -> LegalFrames {
    var legal = LegalFrames(height: codes.grid.height, width: codes.grid.width)
    let known = options.known.isEmpty ? nil : try CodeShardSet(InputPaths.shards(options.known))
    if let known { try world.codes.require(known.grid, of: known.paths[0], for: world.path) }
    let sets = [codes, known].compactMap(\.self)
    let progress = Progress(
      "reading codes", total: sets.reduce(0) { $0 + $1.count }, unit: "grids", console: console)
    for shards in sets {
      try legal.add(shards) {
        progress.advance()
        try Interruption.throwIfRequested()
      }
    }
    progress.finish()
    return legal
  }
}
