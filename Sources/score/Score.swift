// score: bits of the codes of images under a GPT.
import ArgumentParser
import CommandSupport
import DurableFiles
import Images
import ModelCommands
import Shards
import TensorCore
import Training

@main
struct Score: ModelCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "Tells how many bits the codes of images take under a GPT.",
    usage: """
      score CODES... --gpt RUN [--order most|least] [--json]
      score CODES... --gpt RUN --out REPORT [--vqgan RUN]
      """,
    discussion: """
      Without --out, prints a line for each image: its bits, its bits per code, those of the \
      position that takes most, shard, row and name. With it, writes scores.jsonl and sheet.png, \
      heat maps of the first images of the list, and prints their paths.
      """,
    version: SuiteVersion.ofModelCommand)

  @OptionGroup(title: "Input") var input: InputPaths

  @Option(
    help: ArgumentHelp("Run, checkpoint or transformer's file of the GPT.", valueName: "path"))
  var gpt: String

  @Option(
    help: ArgumentHelp(
      "VQGAN that made the codes: the sheet then shows the images too.", valueName: "path"))
  var vqgan: String?

  @Option(help: ArgumentHelp("Folder for the report; made when missing.", valueName: "folder"))
  var out: String?

  @Option(help: "Images in the list: those of most bits first, or of least.") var order = Order.most

  @Option(
    help: ArgumentHelp("Rows to take, spread evenly; all if left out.", valueName: "rows"))
  var count: Int?

  @Option(help: "Images at once; changes bits by rounding at most.") var batchSize = 16

  @Option(help: "Matrix products of linear layers in float32 or bf16.")
  var precision = Precision.float32

  @OptionGroup(title: "Runtime") var runtime: RuntimeOptions
  @OptionGroup var results: ResultOptions

  /// Which image stands first.
  enum Order: String, CaseIterable, ExpressibleByArgument {
    case most, least
  }

  /// The report: the list, the heat maps.
  private static let files = ["scores.jsonl", "sheet.png"]
  /// More would make a page that nobody can open.
  private static let imagesOnSheet = 48

  func validate() throws {
    if vqgan != nil, out == nil { throw ValidationError("--vqgan needs --out for its sheet.") }
    if let count, !(1...10_000_000).contains(count) {
      throw ValidationError("--count must be in 1...10000000, got \(count).")
    }
    guard (1...65_536).contains(batchSize) else {
      throw ValidationError("--batch-size must be in 1...65536, got \(batchSize).")
    }
    if precision == .int8 {
      throw ValidationError("--precision int8 is for sampling; score with float32 or bf16.")
    }
  }

  func execute() throws {
    let console = runtime.console
    let folder = try out.map { try OutputFolder($0, refusing: Self.files.contains) }
    let device = try runtime.startComputing(precision: precision)
    let shards = try CodeShardSet(try input.resolve(console: console))
    let scorer = try GridScorer(try SecondStage.load(gpt, on: device), of: shards)
    let stage = try vqgan.map { try FirstStage.load($0, on: device) }
    try stage?.requireCodes(shards.grid, of: shards.paths[0])
    try stage?.requireColourImages()
    Interruption.install()
    let scores = try scores(scorer, of: shards, console)
    var summary = ScoreSummary(scores.map { $0.score })
    let paths = try folder.map { folder in
      try write(scores, of: shards, stage, summary, in: folder)
    }
    summary.sheet = paths?.last
    console.note(summary.text)
    if let paths, !results.json {
      for path in paths { try results.writer.path(path) }
      return
    }
    for (score, _) in scores { try results.writer.write(score, text: score.text) }
    if results.json { try results.writer.write(summary, text: summary.text) }
  }

  /// Of every row that is taken, in the order of the list, with its number among all rows.
  private func scores(
    _ scorer: GridScorer, of shards: CodeShardSet, _ console: Console
  ) throws -> [(score: GridScore, row: Int)] {
    let rows = evenRows(count ?? shards.count, of: shards.count)
    let (ids, names) = (try shards.ids, try shards.names)
    let progress = Progress("scoring", total: rows.count, unit: "images", console: console)
    var found: [(score: GridScore, row: Int)] = []
    for start in stride(from: 0, to: rows.count, by: batchSize) {
      let batch = Array(rows[start..<min(start + batchSize, rows.count)])
      for (row, map) in zip(batch, try scorer.bits(of: batch)) {
        let (reader, local) = try shards.locate(row)
        let score = GridScore(
          shard: reader.path, row: local, id: ids[row], name: names[row], map: map,
          depth: shards.grid.depth)
        found.append((score, row))
      }
      progress.advance(by: batch.count)
      try Interruption.throwIfRequested()
    }
    progress.finish()
    // Equal ones stay in the order of their rows.
    return found.sorted {
      let (first, second) = ($0.score.bits, $1.score.bits)
      return first == second ? $0.row < $1.row : (first > second) == (order == .most)
    }
  }

  /// Writes the files and returns their paths.
  private func write(
    _ scores: [(score: GridScore, row: Int)], of shards: CodeShardSet, _ stage: FirstStage?,
    _ summary: ScoreSummary, in folder: OutputFolder
  ) throws -> [String] {
    let paths = Self.files.map { folder($0) }
    let lines = try scores.map { try ResultWriter.jsonLine($0.score) + "\n" }
    try DurableFile.write(Array(lines.joined().utf8), to: paths[0])
    let shown = scores.prefix(Self.imagesOnSheet)
    var sheet = ScoreSheet(shown.map { $0.score }, of: shards.grid)
    for (score, row) in shown {
      let codes = try shards.codes(row)
      let image = try stage?.images(codes, of: shards.grid)[0]
      sheet.add(score, image: image)
      try Interruption.throwIfRequested()
    }
    try sheet.rendered(caption: "\(summary.text); the images of \(order.rawValue) bits first")
      .writePNG(to: paths[1])
    return paths
  }
}
