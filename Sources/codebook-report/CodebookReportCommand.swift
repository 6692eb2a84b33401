// codebook-report: how code shards use the codebook, and what its codes look like.
import ArgumentParser
import CommandSupport
import DurableFiles
import Images
import ModelCommands
import Shards
import Training

@main
struct CodebookReportCommand: ModelCommand {
  static let configuration = CommandConfiguration(
    commandName: "codebook-report",
    abstract: "Reports how code shards use the codebook.",
    usage: """
      codebook-report CODES... [--json]
      codebook-report CODES... --out REPORT [--vqgan RUN] [--order use|index]
      """,
    discussion: """
      Without --out, prints the metrics. With it, writes usage.png (a bar for each code), \
      codebook.json and, with --vqgan, codebook.png, in which every code is decoded; prints \
      their paths.
      """,
    version: SuiteVersion.ofModelCommand)

  @OptionGroup(title: "Input") var input: InputPaths

  @Option(
    help: ArgumentHelp(
      "Run, checkpoint or file of weights of the VQGAN, for the sheet of decoded codes.",
      valueName: "path"))
  var vqgan: String?

  @Option(help: ArgumentHelp("Folder for the report; made when missing.", valueName: "folder"))
  var out: String?

  @Option(help: "Codes on the sheet: the most used first, or by index.") var order = Order.use

  @OptionGroup(title: "Runtime") var runtime: RuntimeOptions
  @OptionGroup var results: ResultOptions

  /// Which code stands first on the sheet.
  enum Order: String, CaseIterable, ExpressibleByArgument {
    case use, index
  }

  /// The report: the chart, the metrics, the sheet.
  private static let files = ["usage.png", "codebook.json", "codebook.png"]

  func validate() throws {
    if vqgan != nil, out == nil { throw ValidationError("--vqgan needs --out for its sheet.") }
  }

  func execute() throws {
    let console = runtime.console
    let folder = try out.map { try OutputFolder($0, refusing: Self.files.contains) }
    let device = try runtime.startComputing()
    let shards = try CodeShardSet(try input.resolve(console: console))
    let stage = try vqgan.map { try FirstStage.load($0, on: device) }
    try stage?.requireCodes(shards.grid, of: shards.paths[0])
    Interruption.install()
    try Interruption.telling(console, folder.flatMap(Self.stay)) {
      try report(shards, stage, in: folder, console)
      try Interruption.throwIfRequested()
    }
  }

  /// Which files of the report stay.
  private static func stay(in folder: OutputFolder) -> String? {
    let files = files.filter { DurableFile.exists(folder($0)) }
    return files.isEmpty ? nil : "finished files stay: \(files.joined(separator: ", "))"
  }

  private func report(
    _ shards: CodeShardSet, _ stage: FirstStage?, in folder: OutputFolder?, _ console: Console
  ) throws {
    let progress = Progress("counting", total: shards.count, unit: "grids", console: console)
    let report = try CodebookReport(shards) {
      progress.advance()
      try Interruption.throwIfRequested()
    }
    progress.finish()
    guard let folder else {
      try results.writer.write(report, text: report.text)
      return
    }
    let paths = try write(report, of: shards, stage, in: folder, console)
    if results.json {
      try results.writer.write(report, text: report.text)
    } else {
      console.note(report.text)
      for path in paths { try results.writer.path(path) }
    }
  }

  /// Writes the files and returns their paths.
  private func write(
    _ report: CodebookReport, of shards: CodeShardSet, _ stage: FirstStage?,
    in folder: OutputFolder, _ console: Console
  ) throws -> [String] {
    var paths = Self.files.prefix(2).map { folder($0) }
    try report.chart.writePNG(to: paths[0])
    try DurableFile.write(Array((try ResultWriter.jsonLine(report) + "\n").utf8), to: paths[1])
    guard let stage else { return paths }
    let progress = Progress(
      "decoding", total: stage.config.codes * stage.config.depth, unit: "codes", console: console)
    let patches = try CodebookPatches(of: stage, in: shards) { codes in
      progress.advance(by: codes)
      try Interruption.throwIfRequested()
    }
    progress.finish()
    let histogram = report.histogram
    let codes = order == .use ? histogram.byFrequency : Array(histogram.counts.indices)
    let sorting = order == .use ? "the most used first" : "by index"
    paths.append(folder(Self.files[2]))
    try patches.sheet(in: codes, caption: "\(report.summary); \(sorting)").writePNG(to: paths[2])
    return paths
  }
}
