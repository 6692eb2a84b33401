// Writing checkpoints that torch.load reads.

/// A tensor's type has no storage class in PyTorch.
package struct PyTorchTypeError: Error, Equatable, CustomStringConvertible {
  package let tensor: String
  package let type: ElementType

  package var description: String {
    "\(tensor): elements are \(type.rawValue), which PyTorch files cannot hold"
  }
}

package enum PyTorchWriter {
  /// Writes a checkpoint as Lightning does: `state_dict` in the order given, beside counters and empty states.
  ///
  /// `torch.load(path, weights_only=True)` accepts it. The same tensors and counters give the same bytes.
  ///
  /// - Parameters:
  ///   - tensors: names are unique.
  ///   - counters: `epoch`, `global_step`.
  ///   - zip64From: the format's own limit; lower in tests.
  ///   - willWrite: is called before each tensor.
  /// - Throws: `PyTorchTypeError`, `DurableFileError`, or what a tensor's provider or `willWrite` throws.
  package static func write(
    _ tensors: [SafetensorsEntry], counters: [(name: String, value: Int)], to path: String,
    zip64From: Int = 0xffff_ffff, willWrite: () throws -> Void = {}
  ) throws {
    precondition(Set(tensors.map(\.name)).count == tensors.count, "two tensors of one name")
    var classes: [String] = []
    for tensor in tensors {
      guard let name = tensor.type.storageClass else {
        throw PyTorchTypeError(tensor: tensor.name, type: tensor.type)
      }
      classes.append(name)
    }
    var pickle = PickleWriter()
    pickle.dictionary { writer in
      for counter in counters {
        writer.text(counter.name)
        writer.integer(counter.value)
      }
      writer.text("pytorch-lightning_version")
      writer.text("1.0.8")
      writer.text("state_dict")
      writer.orderedDictionary { writer in
        for (index, tensor) in tensors.enumerated() {
          writer.text(tensor.name)
          writer.tensor(key: "\(index)", storageClass: classes[index], shape: tensor.shape)
        }
      }
      writer.text("callbacks")
      writer.dictionary { _ in }
      for name in ["optimizer_states", "lr_schedulers"] {
        writer.text(name)
        writer.emptyList()
      }
    }
    pickle.stop()

    var archive = try ZipWriter(to: path, zip64From: zip64From)
    try archive.add("archive/data.pkl", pickle.bytes)
    try archive.add("archive/byteorder", Array("little".utf8))
    for (index, tensor) in tensors.enumerated() {
      try willWrite()
      try tensor.withBytes { bytes in
        precondition(bytes.count == tensor.byteCount, "\(tensor.name): \(bytes.count) bytes")
        try archive.add("archive/data/\(index)", bytes)
      }
    }
    try archive.add("archive/version", Array("3\n".utf8))
    try archive.finish()
  }
}
