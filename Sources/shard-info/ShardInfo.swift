import ArgumentParser
import CommandSupport
import DurableFiles
import Shards

/// Tells what is in shards, and whether it is whole.
@main
struct ShardInfo: SuiteCommand {
  static let configuration = CommandConfiguration(
    commandName: "shard-info",
    abstract: "Show what is in shards of images or codes.",
    discussion: """
      With --verify every row is read: checksums, the range of codes, counts. Damaged shards \
      are listed, and the exit code is 65. Of a folder, shards that are missing, swapped or not \
      those of its manifest are listed too.
      """,
    version: SuiteVersion.current)

  @OptionGroup(title: "Input") var input: InputPaths

  @Flag(help: "Read every row and compare its checksum.")
  var verify = false

  @Option(
    help: ArgumentHelp(
      "Write an image of rows of the shards: images as they are, codes as maps of colours.",
      valueName: "file.png"))
  var preview: String?

  @Option(help: ArgumentHelp("Rows of the preview, evenly spaced.", valueName: "rows"))
  var count = 16

  @OptionGroup(title: "Output") var output: ResultOptions

  @Flag(name: .shortAndLong, help: "No progress on stderr.")
  var quiet = false

  func validate() throws {
    guard (1...10_000).contains(count) else {
      throw ValidationError("--count must be in 1...10000, got \(count).")
    }
  }

  func execute() throws {
    Interruption.install()
    let console = Console.standardError(quiet: quiet)
    let sheet = try preview.map { try PreviewSheet(at: $0) }
    let named = try input.named(console: console)
    let paths = try InputPaths.expand(named, suffix: ".h5")
    var damaged = 0
    for path in paths {
      try Interruption.throwIfRequested()
      let report = try ShardReport(
        path, verification: verify ? try verification(of: path, console) : nil)
      if report.isDamaged { damaged += 1 }
      try output.writer.write(report, text: report.text)
    }
    let strays = verify ? try verifiedFolders(among: named) : 0
    // What is wrong with them stands on stdout.
    if damaged > 0 {
      throw CommandError(
        .badData, "\(damaged) of \(paths.count) shards damaged; make them again")
    }
    if strays > 0 {
      throw CommandError(.badData, "\(strays) findings about folders and their manifests")
    }
    if let sheet {
      try sheet.publish(try Preview(of: paths, rows: count).rendered())
      try output.writer.path(sheet.path)
    }
  }

  /// Reports the folders that are not as their manifests say.
  ///
  /// - Returns: how many findings there are.
  private func verifiedFolders(among named: [String]) throws -> Int {
    var findings = 0
    for path in named where DurableFile.isFolder(path) {
      try Interruption.throwIfRequested()
      let verification = FolderVerification(path, isPartial: input.partial)
      try throwFailure(of: verification.findings)
      if verification.findings.isEmpty { continue }
      findings += verification.findings.count
      let report = ShardReport(verification)
      try output.writer.write(report, text: report.text)
    }
    return findings
  }

  private func verification(of path: String, _ console: Console) throws -> ShardVerification {
    var progress: Progress?
    let verification = try ShardVerification(path) { _, all in
      try Interruption.throwIfRequested()
      if progress == nil { progress = Progress(path, total: all, unit: "rows", console: console) }
      progress?.advance()
    }
    progress?.finish()
    try throwFailure(of: verification.findings)
    return verification
  }

  /// A disk that fails and a process without descriptors say nothing about the shard.
  private func throwFailure(of findings: [ShardError]) throws(ShardError) {
    if let failure = findings.first(where: { SuiteExitCode(of: $0) == .ioFailure }) {
      throw failure
    }
  }
}
