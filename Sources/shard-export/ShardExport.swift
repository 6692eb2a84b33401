import ArgumentParser
import CommandSupport
import Foundation

/// `shard-export`: rows of image shards to PNGs and texts.
@main
struct ShardExport: SuiteCommand {
  static let configuration = CommandConfiguration(
    commandName: "shard-export",
    abstract: "Writes the rows of image shards as PNGs and texts.",
    usage: """
      shard-export SHARDS... --out DIR
      decode-dataset ... | shard-export --out DIR
      """,
    discussion: """
      Images become DIR/images/NAME.png by the names of their source files, those of recordings \
      DIR/screens/GAME/ID/N.png with DIR/trajectories/GAME/ID.txt, as prep-atari reads them; \
      label maps go to DIR/stuffthingmaps, depth maps to DIR/depth, and all else that rows hold \
      to DIR/rows.jsonl. Prints the paths of the images when all are there. Running the same \
      command again continues at the first that is missing.
      """,
    version: SuiteVersion.current)

  @OptionGroup(title: "Input") var input: InputPaths

  @Option(help: ArgumentHelp("Folder for the files; made when missing.", valueName: "dir"))
  var out: String

  @Option(
    help: ArgumentHelp(
      "Threads that read and compress; the files are the same for any number.", valueName: "count"))
  var threads = ProcessInfo.processInfo.activeProcessorCount

  @Flag(name: .shortAndLong, help: "No progress and no notes on stderr; warnings stay.")
  var quiet = false

  @OptionGroup(title: "Results") var results: ResultOptions

  func validate() throws {
    guard (1...1024).contains(threads) else {
      throw ValidationError("--threads must be in 1...1024, got \(threads).")
    }
  }

  func execute() throws {
    let console = Console.standardError(quiet: quiet)
    let plan = try ExportPlan(try input.resolve(console: console))
    Interruption.install()
    let exporter = try Exporter(plan, in: out, threads: threads)
    let progress = Progress("exporting", total: plan.count, unit: "images", console: console)
    let began = ContinuousClock.now
    let earlier = try Interruption.telling(
      console, "the same command continues at the first missing image"
    ) {
      try exporter.write {
        progress.advance()
        try Interruption.throwIfRequested()
      }
    }
    progress.finish()
    let seconds = (ContinuousClock.now - began) / .seconds(1)
    let new = plan.count - earlier
    console.note(
      "wrote \(new) images\(earlier > 0 ? " (\(earlier) by an earlier run)" : "")"
        + " in \(Progress.duration(seconds))")
    for shard in plan.shards {
      try shard.forEachRow { row, id, name in
        let path = exporter.path(of: shard.file(of: row, .images))
        try results.writer.write(
          ExportedImage(path: path, shard: shard.path, row: row, id: id, name: name), text: path)
      }
    }
  }
}

/// What `--json` writes of an image.
private struct ExportedImage: Encodable {
  let path, shard: String
  let row: Int
  let id: Int64
  let name: String
}
