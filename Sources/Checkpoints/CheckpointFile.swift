// A file of weights of any known format.

import DurableFiles

/// Opens files of weights by what they hold, not by how they are called.
package enum CheckpointFile {
  /// Opens a safetensors or PyTorch file; its tensors have the names that models have.
  ///
  /// - Parameter weights: which are taken, where their averages stand beside them.
  /// - Throws: `SafetensorsError`, `PyTorchFileError`.
  package static func open(
    _ path: String, weights: WeightChoice = .ema
  ) throws -> any TensorSource {
    try openAsItIs(path).underUsualNames(weights)
  }

  /// Opens a safetensors or PyTorch file; its tensors have the names that are in it.
  ///
  /// - Throws: as `open`.
  package static func openAsItIs(_ path: String) throws -> any TensorSource {
    let path = weightsFile(path)
    return isSafetensors(try RandomAccessFile(path))
      ? try SafetensorsFile(path) : try PyTorchFile(path)
  }

  /// The file of weights in a folder of a model of diffusers; any other path as it is.
  package static func weightsFile(_ path: String) -> String {
    guard DurableFile.isFolder(path) else { return path }
    return ["safetensors", "bin"].map { "\(path)/diffusion_pytorch_model.\($0)" }
      .first(where: DurableFile.exists) ?? path
  }

  /// A length of 8 bytes that fits the file, then a JSON object.
  private static func isSafetensors(_ file: RandomAccessFile) -> Bool {
    guard file.count >= 10, let prefix = try? file.bytes(0..<9) else { return false }
    return prefix[8] == UInt8(ascii: "{") && prefix[5..<8].allSatisfy { $0 == 0 }
  }
}
