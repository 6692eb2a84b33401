import ArgumentParser
import CommandSupport
import DurableFiles
import Images
import Ingest

/// `prep-images`: folders of images to image shards.
@main
struct PrepImages: SuiteCommand {
  static let configuration = CommandConfiguration(
    commandName: "prep-images",
    abstract: "Make image shards of your own images.",
    discussion: """
      Reads the JPEG and PNG images of a folder and the folders in it, or of a list of paths, \
      one per line; scales the shorter side, cuts a square, and writes HDF5 shards.

      Example: prep-images photos --size 256 --holdout 5 --out shards

      The paths of the training shards go to stdout, so that the next command can read them; \
      those of the validation shards to stderr. Running the same command again continues.
      """,
    version: SuiteVersion.current)

  @Argument(
    help: ArgumentHelp(
      "Folder of images, or a text file of paths; '-' reads paths from a pipe.",
      valueName: "dir|list"))
  var source: String

  @Option(help: ArgumentHelp("Folder for the shards; made when missing.", valueName: "dir"))
  var out: String

  @OptionGroup(title: "The images") var squares: SquareOptions

  @OptionGroup var photos: PhotoOptions

  @OptionGroup var palette: PaletteOptions

  @Option(
    help: ArgumentHelp(
      "Folder of depth maps: NAME.png for an image NAME of the folder.", valueName: "dir"))
  var depth: String?

  @Flag(help: "Read images through links that point out of the folder.")
  var followSymlinks = false

  @OptionGroup(title: "The shards") var shards: ShardOptions
  @OptionGroup(title: "The run") var running: IngestRunOptions
  @OptionGroup(title: "Results") var results: ResultOptions

  func execute() throws {
    var squares = squares
    squares.chosenFilter = try palette.filter(squares.chosenFilter)
    let run = IngestRun(out: out, unit: "images", options: running, results: results)
    let paths = try listedPaths()
    guard depth == nil || paths == nil else {
      throw ValidationError("--depth needs a folder of images, not a list.")
    }
    try run { progress in
      guard let paths else {
        return try ImageListSource.plan(
          folder: source, followsLinks: followSymlinks, reading: photos.reading, depth: depth,
          squares: squares, palette: palette, threads: running.threads, shards: shards,
          progress: progress)
      }
      return try ImageListSource.plan(
        paths: paths, list: source, reading: photos.reading, squares: squares, palette: palette,
        threads: running.threads, shards: shards, progress: progress)
    }
  }

  /// The paths of a list; nil where the source is a folder.
  private func listedPaths() throws -> [String]? {
    if source == "-" {
      return try StandardInput.lines(console: .standardError(quiet: running.quiet))
    }
    if DurableFile.isFolder(source) { return nil }
    guard DurableFile.exists(source) else { throw InputError.missing(path: source) }
    let bytes = try DurableFile.read(source, atMost: 1 << 30)
    if let found = ImageFormat.otherThanText(bytes) {
      throw IngestError.notAList(path: source, found: found)
    }
    return try PathList.lines(bytes, of: source)
  }
}
