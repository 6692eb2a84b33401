// convert-checkpoint: weights of taming-transformers, torchvision and LPIPS to checkpoints of the
// suite, and back.
import ArgumentParser
import Checkpoints
import CommandSupport
import DurableFiles
import ModelCommands
import TamingCheckpoints
import Training

@main
struct ConvertCheckpoint: ModelCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert-checkpoint",
    abstract: "Converts weights of taming-transformers and back, of other tokenizers and of IRIS.",
    usage: """
      convert-checkpoint last.ckpt --out vqgan
      convert-checkpoint vq_ds16_c2i.pt --out llamagen
      convert-checkpoint last.pt --out iris
      convert-checkpoint VGG16.pth LPIPS.pth --out perceptual.safetensors
      convert-checkpoint RUN --to taming --out last.ckpt
      """,
    discussion: """
      Reads PyTorch and safetensors files; a PyTorch file is read as data, no code in it is run. \
      Prints the path of what it wrote: a folder that --vqgan, --gpt, --world and --init-from take, \
      or one file.
      """,
    version: SuiteVersion.ofModelCommand)

  @OptionGroup(title: "Conversion") var options: ConversionOptions
  @Flag(name: .shortAndLong, help: "No progress and no notes on stderr; warnings stay.")
  var quiet = false
  @OptionGroup var results: ResultOptions

  func execute() throws {
    let console = Console.standardError(quiet: quiet)
    if options.to == .suite {
      // (A folder of diffusers has a config.json too.)
      for path in options.inputs
      where CheckpointFile.weightsFile(path) == path
        && (RunFolder(path).exists || DurableFile.exists("\(path)/model.json"))
      {
        throw CommandError(
          .noInput,
          "\(path): a folder of this suite, which its commands take as it is; --to taming writes it "
            + "for other programs")
      }
    }
    try options.requireFree()
    Interruption.install()
    switch options.to {
    case .suite: try ImportJob(options: options, console: console).run()
    case .taming: try ExportJob(options: options, console: console).run()
    }
    try results.writer.path(options.out)
  }
}
