// From checkpoints of the suite to files of taming-transformers.
import Checkpoints
import CommandSupport
import DurableFiles
import TamingCheckpoints
import Training

/// Writes a run, a checkpoint or a converted model as a `.ckpt` that PyTorch loads.
struct ExportJob {
  let options: ConversionOptions
  let console: Console

  func run() throws {
    let export = try export()
    for note in export.notes { console.warn("\(options.out): \(note)") }
    let progress = Progress(
      "converting", total: export.entries.count, unit: "tensors", console: console)
    try export.write(to: options.out, step: try step()) {
      progress.advance()
      try Interruption.throwIfRequested()
    }
    progress.finish()
  }

  private func export() throws -> TamingExport {
    let path = options.inputs[0]
    guard try isTransformer(path) else {
      let perceptual = try options.perceptual.map {
        try PerceptualWeights(try CheckpointFile.open($0))
      }
      return try TamingExport(
        try FirstStageFile.open(path, weights: options.weights), perceptual: perceptual)
    }
    let file = try SecondStageFile.open(path, weights: options.weights)
    let vqgan = options.vqgan ?? file.description.codes.vqgan
    let firstStage = vqgan.isEmpty ? nil : try FirstStageFile.open(vqgan)
    if let firstStage {
      try file.description.codes.requireVQGAN(
        try firstStage.fingerprints(), of: vqgan, for: path, option: "--vqgan")
    }
    let condStage = "\(path)/cond-stage"
    return try TamingExport(
      file, firstStage: firstStage,
      condStage: DurableFile.isFolder(condStage) ? try FirstStageFile.open(condStage) : nil)
  }

  /// Whether a run, folder or file holds a transformer.
  private func isTransformer(_ path: String) throws -> Bool {
    let folder = try FirstStageFile.checkpointFolder(of: path)
    let source =
      try folder.map { try CheckpointFile.open("\($0)/model.safetensors") }
      ?? CheckpointFile.open(path)
    return source.names.contains { $0.hasSuffix("tok_emb.weight") }
  }

  /// The step of the checkpoint; 0 for one without a training state.
  private func step() throws -> Int {
    guard let folder = try FirstStageFile.checkpointFolder(of: options.inputs[0]),
      DurableFile.exists("\(folder)/state.json")
    else { return 0 }
    return try RunFolder.decode(TrainingState.self, from: "\(folder)/state.json").step
  }
}
