// The perceptual network of a training, from a file.
import Checkpoints
import Models
import TamingCheckpoints
import TensorCore

extension LPIPS {
  /// LPIPS with the weights of a file: of one that convert-checkpoint made, or of a VQGAN's
  /// checkpoint that holds them.
  ///
  /// - Throws: `SafetensorsError`, `PyTorchFileError`, `ArchitectureError`, `ModelMismatchError`.
  package static func load(_ path: String, on device: Device) throws -> LPIPS {
    let source = try CheckpointFile.open(path)
    if source.contains("features.0.weight") || source.names.allSatisfy({ $0.hasPrefix("lin") }) {
      throw ArchitectureError.unsupported(
        path: path,
        problem: "half of the perceptual network; join VGG16 and the heads of LPIPS: "
          + "convert-checkpoint VGG16.pth LPIPS.pth --out perceptual.safetensors")
    }
    let weights = try PerceptualWeights(source)
    var network = LPIPS(channels: weights.channels, on: device)
    try ModelFiles.load(&network, from: weights.tensors)
    return network
  }
}
