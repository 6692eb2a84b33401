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

  /// The file of weights in a folder of a model of diffusers, also where it is missing; any other
  /// path as it is.
  package static func weightsFile(_ path: String) -> String {
    guard DurableFile.isFolder(path) else { return path }
    let files = ["safetensors", "bin"].map { "\(path)/diffusion_pytorch_model.\($0)" }
    return files.first(where: DurableFile.exists) ?? (hasConfigOfDiffusers(path) ? files[0] : path)
  }

  /// Whether a folder's config.json has the key by which diffusers finds the model's class.
  private static func hasConfigOfDiffusers(_ path: String) -> Bool {
    guard let bytes = try? DurableFile.read("\(path)/config.json", atMost: 1 << 20) else {
      return false
    }
    return String(decoding: bytes, as: UTF8.self).contains(#""_class_name""#)
  }

  /// A length of 8 bytes that fits the file, then a JSON object.
  private static func isSafetensors(_ file: RandomAccessFile) -> Bool {
    guard file.count >= 10, let prefix = try? file.bytes(0..<9) else { return false }
    return prefix[8] == UInt8(ascii: "{") && prefix[5..<8].allSatisfy { $0 == 0 }
  }
}
