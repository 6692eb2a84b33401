// Tensors among the values of a pickle.

extension Pickle {
  /// The tensor that a value describes, however it wants to be rebuilt; nil if it is none.
  ///
  /// Parameters and tensors of all versions since 0.1 are understood. What else an object is or
  /// does is not looked at.
  func tensor(_ reference: PickleReference) -> Result<StoredTensor, StoredTensor.Problem>? {
    var reference = reference
    for _ in 0..<8 {  // a parameter holds a tensor; more steps are a circle
      guard case .call(let function, let inputs, let result) = self[reference],
        let global = global(function), let arguments = tuple(inputs)
      else { return nil }
      let state = result.flatMap { tuple($0) }
      switch (global.module, global.name) {
      case ("torch._utils", "_rebuild_tensor"), ("torch._utils", "_rebuild_tensor_v2"):
        return view(arguments)
      case ("torch._utils", "_rebuild_parameter"),
        ("torch._utils", "_rebuild_parameter_with_state"):
        guard let data = arguments.first else { return nil }
        reference = data
      case ("torch.nn.parameter", "Parameter"), ("torch.autograd.variable", "Variable"),
        ("torch.tensor", "Tensor"), ("torch", "Tensor"),
        ("torch", _) where global.name.hasSuffix("Tensor"),
        ("torch.cuda", _) where global.name.hasSuffix("Tensor"):
        if let state, state.count == 4 { return view(state) }  // (storage, offset, size, stride)
        guard let data = state?.first ?? arguments.first else { return nil }
        reference = data
      default: return nil
      }
    }
    return .failure("holds itself")
  }

  /// The view of `(storage, offset, size, stride, …)`.
  private func view(
    _ arguments: [PickleReference]
  ) -> Result<StoredTensor, StoredTensor.Problem> {
    guard arguments.count >= 4, let offset = integer(arguments[1]),
      let shape = sizes(arguments[2]), let strides = sizes(arguments[3])
    else { return .failure("is rebuilt from other things than storage, offset, size and stride") }
    return storage(arguments[0]).flatMap {
      StoredTensor.checked(storage: $0, offset: offset, shape: shape, strides: strides)
    }
  }

  /// The integers of a tuple, a list or a `torch.Size`.
  private func sizes(_ reference: PickleReference) -> [Int]? {
    var items = tuple(reference) ?? list(reference)
    if case .call(let function, let arguments, _) = self[reference],
      global(function) == PickleGlobal("torch", "Size"), let inner = tuple(arguments)?.first
    {
      items = tuple(inner) ?? list(inner)
    }
    guard let items, items.count <= 64 else { return nil }
    let sizes = items.compactMap { integer($0) }
    return sizes.count == items.count ? sizes : nil
  }

  /// The storage of `("storage", class, key, location, count)`, and of views `(key, offset, size)`
  /// of one.
  private func storage(
    _ reference: PickleReference
  ) -> Result<StorageReference, StoredTensor.Problem> {
    guard case .persistent(let id) = self[reference], let parts = tuple(id), parts.count >= 5,
      text(parts[0]) == "storage", let key = name(parts[2]), let count = integer(parts[4])
    else { return .failure("its storage is \(self[reference].title)") }
    guard let global = global(parts[1]) else {
      return .failure("the class of its storage is \(self[parts[1]].title)")
    }
    guard let type = ElementType(storageClass: global) else {
      return .failure("a storage of class \(global), which is unknown")
    }
    guard count >= 0, !count.multipliedReportingOverflow(by: type.bits / 8).overflow else {
      return .failure("a storage of \(count) elements")
    }
    guard parts.count > 5, let view = tuple(parts[5]) else {
      return .success(StorageReference(key: key, type: type, count: count))
    }
    guard view.count == 3, let start = integer(view[1]), let size = integer(view[2]), start >= 0,
      size >= 0, start <= count, size <= count - start
    else { return .failure("a view that reaches past its storage") }
    return .success(StorageReference(key: key, type: type, count: size, start: start))
  }

  /// Every storage that the pickle names, one for each key.
  ///
  /// - Returns: nil and the key if one key has two types or lengths.
  func storages() -> Result<[String: StorageReference], StoredTensor.Problem> {
    var storages: [String: StorageReference] = [:]
    for (position, node) in nodes.enumerated() {
      guard case .persistent(let id) = node, let parts = tuple(id), parts.count >= 5,
        case .success(let view) = storage(PickleReference(position: position)),
        let count = integer(parts[4])
      else { continue }
      let whole = StorageReference(key: view.key, type: view.type, count: count)
      if let other = storages.updateValue(whole, forKey: view.key), other != whole {
        return .failure(
          StoredTensor.Problem(
            "\(view.key) is used as \(other.count) of \(other.type.rawValue) and as "
              + "\(whole.count) of \(whole.type.rawValue)"))
      }
    }
    return .success(storages)
  }
}
