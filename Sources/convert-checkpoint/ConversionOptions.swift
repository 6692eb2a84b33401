// The options of convert-checkpoint.
import ArgumentParser
import Checkpoints
import CommandSupport
import DurableFiles
import Models
import Platform

/// What `convert-checkpoint` is told.
struct ConversionOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "Checkpoint to convert; with --to taming a run or a checkpoint's folder. Two files: VGG16 and the heads of LPIPS.",
      valueName: "in"))
  var inputs: [String]

  @Option(help: ArgumentHelp("What to write: a new folder, or a new file.", valueName: "path"))
  var out: String

  @Option(help: "The form of what is written: the suite's own, or taming's (a .ckpt file).")
  var to = Target.suite

  @Option(help: "Of a transformer's checkpoint, write this part alone.") var extract: Part?

  @Option(
    help: ArgumentHelp(
      "Project file of taming-transformers; that in ../configs if left out.",
      valueName: "file.yaml"))
  var project: String?

  @Option(help: "Heads of a transformer's attention, where no project file gives them.")
  var heads: Int?

  @Option(help: "Codes of a transformer's images, HEIGHTxWIDTH, such as 13x13.")
  var grid: Grid?

  @Option(
    help: ArgumentHelp("The VQGAN of a transformer whose file does not hold it.", valueName: "path")
  )
  var vqgan: String?

  @Option(
    help: ArgumentHelp("With --to taming: LPIPS on VGG16, to be written too.", valueName: "file"))
  var perceptual: String?

  @Option(
    help: ArgumentHelp(
      "Of a VQGAN: the entries of its codebook that are in use, in the order of their new codes.",
      valueName: "file.npy"))
  var remap: String?

  @Option(help: "The new code of other entries: random, extra (one of their own), or a code.")
  var unknownIndex: CodeRemap.Unknown?

  @Option(help: "Of a VQGAN whose names fit both: codes of nearest entries (gradient), or IBQ's.")
  var quantizer: Rule?

  @Option(help: "Which weights to take where there is an EMA of them beside them.")
  var weights = WeightChoice.ema

  @Option(help: ArgumentHelp("Leave out tensors whose names begin so.", valueName: "prefix"))
  var ignore: [String] = []

  @Flag(help: "Write the states of the optimizers too, as optimizer.safetensors.")
  var optimizer = false

  @Flag(help: "List the tensors, and the classes that a PyTorch file names.") var verbose = false

  enum Target: String, CaseIterable, ExpressibleByArgument {
    case suite, taming
  }

  /// Kinds of codebooks with the same tensors.
  enum Rule: String, CaseIterable, ExpressibleByArgument {
    case gradient, ibq

    var kind: QuantizerConfig.Kind { self == .ibq ? .ibq : .gradient }
  }

  enum Part: String, CaseIterable, ExpressibleByArgument {
    case firstStage = "first-stage"
    case condStage = "cond-stage"
    case transformer
  }

  /// Height and width in codes.
  struct Grid: ExpressibleByArgument {
    let height: Int
    let width: Int

    init?(argument: String) {
      let parts = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
      guard parts.count == 2, let height = parts[0], let width = parts[1],
        (1...65_535).contains(height), (1...65_535).contains(width)
      else { return nil }
      (self.height, self.width) = (height, width)
    }
  }

  func validate() throws {
    guard (1...2).contains(inputs.count) else {
      throw ValidationError("Name one checkpoint, or the files of VGG16 and LPIPS.")
    }
    if let heads, !(1...65_536).contains(heads) {
      throw ValidationError("--heads must be positive, got \(heads).")
    }
    guard to == .taming else {
      if perceptual != nil { throw ValidationError("--perceptual needs --to taming.") }
      return
    }
    if inputs.count > 1 { throw ValidationError("--to taming takes one input.") }
    for (name, isGiven) in [
      ("--extract", extract != nil), ("--project", project != nil), ("--heads", heads != nil),
      ("--grid", grid != nil), ("--ignore", !ignore.isEmpty), ("--optimizer", optimizer),
      ("--quantizer", quantizer != nil), ("--remap", remap != nil),
      ("--unknown-index", unknownIndex != nil),
    ] where isGiven {
      throw ValidationError("\(name) is for reading taming's files, not for writing them.")
    }
  }

  /// - Throws: `DurableFileError` when there is something at `--out` already, or no folder to put
  ///   it in.
  func requireFree() throws(DurableFileError) {
    guard !DurableFile.exists(out) || isEmptyFolder else {
      throw .cannotCreate(path: out, errno: EEXIST)
    }
    try OutputFile.watchFolder(of: out)
  }

  private var isEmptyFolder: Bool {
    DurableFile.isFolder(out) && DurableFile.names(in: out).isEmpty
  }
}

extension CodeRemap.Unknown: ExpressibleByArgument {
  package init?(argument: String) {
    switch argument {
    case "random": self = .random
    case "extra": self = .extra
    default:
      guard let code = Int(argument), code >= 0 else { return nil }
      self = .code(code)
    }
  }
}
