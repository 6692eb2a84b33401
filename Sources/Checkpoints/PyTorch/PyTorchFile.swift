// Reading the files of torch.save: checkpoints of Lightning, weights of torchvision and LPIPS.

import Checksums
import Synchronization

/// An open PyTorch file: the tensors of its state dictionary, read when they are asked for.
///
/// Files of strangers are safe to open. Pickles are read as data: nothing that they name is looked
/// up or called, every size is checked before memory is taken for it, and a zip entry's CRC is
/// compared before its tensors are handed out. Both forms are read: the zip archive (since PyTorch
/// 1.6) and the stream of pickles before it.
package final class PyTorchFile: TensorSource {
  package let path: String
  /// Classes and functions that the file names and that mean nothing here, in the order of their
  /// appearance.
  package let inertGlobals: [PickleGlobal]
  /// Entries of the state dictionary that are tensors of a kind that cannot be read, and why.
  package let unreadable: [String: String]
  /// The integers and texts beside the state dictionary: `epoch`, `global_step`,
  /// `pytorch-lightning_version`.
  package let notes: [String: String]
  /// The optimizers of a checkpoint of Lightning, in their order: for each parameter's number its
  /// state.
  package let optimizers: [[Int: OptimizerState]]

  private let file: RandomAccessFile
  private let positions: [String: Range<Int>]  // bytes of each storage, by key
  private let checksums: [String: UInt32]  // of each storage of an archive
  private let tensors: [String: StoredTensor]
  /// Tensors that are not listed: those of the optimizers.
  private let moments: [String: StoredTensor]
  private let verified = Mutex<Set<String>>([])
  let pickle: Pickle

  /// - Throws: `PyTorchFileError` when the file is missing, damaged, or holds no dictionary of
  ///   tensors.
  package init(_ path: String) throws(PyTorchFileError) {
    self.path = path
    file = try RandomAccessFile(path)
    let contents = try PyTorchContents(file)
    (pickle, positions, checksums) = (contents.pickle, contents.positions, contents.checksums)
    let (dictionary, averages) = try Self.stateDictionaries(of: pickle, path: path)
    var tensors: [String: StoredTensor] = [:]
    var unreadable: [String: String] = [:]
    let items =
      dictionary.map { ("", $0) } + averages.map { (Self.averagePrefix, $0) }
    for (prefix, (key, value)) in items {
      guard let text = pickle.text(key), let tensor = pickle.tensor(value) else { continue }
      guard pickle.name(key) != nil else {
        throw .tensor(
          path: path, tensor: "\(text.prefix(40))…", problem: "a name of \(text.utf8.count) bytes")
      }
      let name = prefix + text
      switch tensor {
      case .success(let tensor): tensors[name] = tensor
      case .failure(let problem): unreadable[name] = problem.text
      }
    }
    (optimizers, moments) = Self.optimizers(of: pickle)
    self.tensors = tensors
    self.unreadable = unreadable
    inertGlobals = pickle.globals.filter { !$0.hasMeaning }
    notes = Self.notes(of: pickle)
  }

  /// The tensors' names, sorted by their bytes.
  package var names: [String] {
    tensors.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  package func contains(_ name: String) -> Bool { tensors[name] != nil }

  package func shape(of name: String) throws(PyTorchFileError) -> [Int] {
    try tensor(named: name).shape
  }

  package func type(of name: String) throws(PyTorchFileError) -> ElementType {
    try tensor(named: name).storage.type
  }

  package func floats(of name: String) throws(PyTorchFileError) -> [Float] {
    let tensor = try tensor(named: name)
    let elements = Elements(file: self, name: name, tensor: tensor)
    guard let floats = try elements.floats() else {
      throw .wrongType(path: path, tensor: name, found: elements.type, expected: "numbers")
    }
    return floats
  }

  package func integers(of name: String) throws(PyTorchFileError) -> [Int] {
    let tensor = try tensor(named: name)
    let elements = Elements(file: self, name: name, tensor: tensor)
    guard let integers = try elements.integers() else {
      throw .wrongType(path: path, tensor: name, found: elements.type, expected: "integers")
    }
    return integers
  }

  package func withBytes<Result>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    let elements = Elements(file: self, name: name, tensor: try tensor(named: name))
    return switch elements.type.bits {
    case 8: try elements.read(as: UInt8.self).withUnsafeBytes(body)
    case 16: try elements.read(as: UInt16.self).withUnsafeBytes(body)
    case 32: try elements.read(as: UInt32.self).withUnsafeBytes(body)
    default: try elements.read(as: UInt64.self).withUnsafeBytes(body)
    }
  }

  private func tensor(named name: String) throws(PyTorchFileError) -> StoredTensor {
    if let tensor = tensors[name] ?? moments[name] { return tensor }
    if let problem = unreadable[name] { throw .tensor(path: path, tensor: name, problem: problem) }
    throw .noTensor(path: path, tensor: name)
  }

  // MARK: Elements

  private struct Elements: StoredElements {
    let file: PyTorchFile
    let name: String
    let tensor: StoredTensor

    var type: ElementType { tensor.storage.type }

    func read<Element: BitwiseCopyable>(as type: Element.Type) throws(PyTorchFileError) -> [Element]
    {
      let span = try file.span(of: tensor, named: name, as: type)
      return tensor.isContiguous ? span : tensor.rowMajor(span)
    }
  }

  /// The storage's elements from the tensor's first to its last one.
  private func span<Element: BitwiseCopyable>(
    of tensor: StoredTensor, named name: String, as type: Element.Type
  ) throws(PyTorchFileError) -> [Element] {
    let storage = tensor.storage
    guard let position = positions[storage.key] else {
      throw .tensor(path: path, tensor: name, problem: "no storage \(storage.key) in the file")
    }
    let size = MemoryLayout<Element>.stride
    let start = position.lowerBound + (storage.start + tensor.offset) * size
    let range = start..<start + tensor.span * size
    guard range.upperBound <= position.upperBound else {
      throw .storage(
        path: path, key: storage.key,
        problem: "\(position.count) bytes, \(name) needs \(range.upperBound - position.lowerBound)")
    }
    let isChecked = checksums[storage.key] == nil || verified.withLock { $0.contains(storage.key) }
    if !isChecked && range != position {
      try compare(try file.crc32(of: position), storage.key)
    }
    let elements = try file.elements(range, as: type)
    if !isChecked && range == position {
      try compare(elements.withUnsafeBytes { crc32($0) }, storage.key)
    }
    return elements
  }

  private func compare(_ crc: UInt32, _ key: String) throws(PyTorchFileError) {
    guard checksums[key] == crc else {
      throw .storage(
        path: path, key: key, problem: "its CRC-32 differs from the archive's; copy the file again")
    }
    verified.withLock { _ = $0.insert(key) }
  }

  // MARK: The object

  /// Stands before the names of averages that have a dictionary of their own.
  private static let averagePrefix = "ema_model."

  /// The dictionary of weights, which may be the whole object, and that of their averages beside
  /// it, empty for none.
  private static func stateDictionaries(
    of pickle: Pickle, path: String
  ) throws(PyTorchFileError) -> (plain: Items, averages: Items) {
    func first(_ keys: [String]) -> Items? {
      keys.lazy.compactMap { pickle.value($0, in: pickle.root) }.compactMap(tensors).first
    }
    /// The items of a dictionary of tensors, or of one in it.
    func tensors(_ reference: PickleReference) -> Items? {
      for candidate in [reference]
        + ["state_dict", "module", "shadow", "model"].compactMap({ pickle.value($0, in: reference) }
        )
      {
        guard case .dictionary(let items) = pickle[candidate],
          items.contains(where: { pickle.tensor($0.value) != nil })
        else { continue }
        return items
      }
      return nil
    }
    let averages = first(["ema", "model_ema", "state_dict_ema", "ema_state_dict"])
    if let plain = first(["state_dict", "model", "model_state_dict", "module"]) {
      return (plain, averages ?? [])
    }
    if let averages { return ([], averages) }
    guard case .dictionary(let items) = pickle[pickle.root] else {
      throw .noStateDictionary(path: path, found: pickle[pickle.root].title)
    }
    guard items.contains(where: { pickle.tensor($0.value) != nil }) else {
      throw .noStateDictionary(path: path, found: "a dictionary without tensors")
    }
    return (items, [])
  }

  private typealias Items = [(key: PickleReference, value: PickleReference)]

  private static func notes(of pickle: Pickle) -> [String: String] {
    guard case .dictionary(let items) = pickle[pickle.root] else { return [:] }
    var notes: [String: String] = [:]
    for (key, value) in items {
      guard let name = pickle.name(key) else { continue }
      notes[name] = pickle.text(value) ?? pickle.integer(value).map(String.init)
    }
    return notes
  }
}
