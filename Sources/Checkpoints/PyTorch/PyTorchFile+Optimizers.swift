// The states of optimizers beside a state dictionary.

/// What Adam keeps of one parameter.
package struct OptimizerState: Equatable, Sendable {
  /// Steps taken; nil where the file stores them as a tensor, of the name `stepTensor`.
  package let step: Int?
  package let stepTensor: String
  /// Names under which the two averages, of the gradient and of its square, can be read.
  ///
  /// The file does not list them.
  package let average: String
  package let squareAverage: String
}

extension PyTorchFile {
  /// Reads `optimizer_states`: a list of `{"state": {number: {"step", "exp_avg", "exp_avg_sq"}}, "param_groups": …}`.
  static func optimizers(
    of pickle: Pickle
  ) -> (states: [[Int: OptimizerState]], moments: [String: StoredTensor]) {
    var moments: [String: StoredTensor] = [:]
    guard let list = pickle.value("optimizer_states", in: pickle.root),
      let optimizers = pickle.list(list)
    else { return ([], [:]) }
    // A list may name one dictionary a million times: each counts once.
    var seen: Set<PickleReference> = []
    let states = optimizers.enumerated().map { index, optimizer in
      var states: [Int: OptimizerState] = [:]
      guard seen.insert(optimizer).inserted, let state = pickle.value("state", in: optimizer),
        seen.insert(state).inserted, case .dictionary(let items) = pickle[state]
      else { return states }
      for (key, value) in items {
        guard case .dictionary(let parts) = pickle[value], parts.count <= 64,
          let number = pickle.integer(key), let average = pickle.value("exp_avg", in: value),
          let squares = pickle.value("exp_avg_sq", in: value),
          case .success(let first)? = pickle.tensor(average),
          case .success(let second)? = pickle.tensor(squares)
        else { continue }
        let name = "optimizer_states.\(index).\(number)"
        moments["\(name).exp_avg"] = first
        moments["\(name).exp_avg_sq"] = second
        let step = pickle.value("step", in: value)
        if let step, case .success(let stored)? = pickle.tensor(step) {
          moments["\(name).step"] = stored
        }
        states[number] = OptimizerState(
          step: step.flatMap { pickle.integer($0) }, stepTensor: "\(name).step",
          average: "\(name).exp_avg", squareAverage: "\(name).exp_avg_sq")
      }
      return states
    }
    return (states, moments)
  }
}
