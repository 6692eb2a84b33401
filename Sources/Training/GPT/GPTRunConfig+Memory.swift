// Whether the machine can hold a step.

extension GPTRunConfig {
  /// Checks that a step fits the machine.
  ///
  /// - Throws: `RunError.tooLarge`.
  package func check() throws(RunError) {
    // each block keeps at least its input, queries, keys, values and the MLP's inner activations
    let perToken = 8 * model.layers * model.width + model.vocabSize
    let weights = 12 * Double(model.layers) * Double(model.width) * Double(model.width)
    try requireMemory(
      forFloats: Double(batchSize) * Double((condition?.length ?? 1) + codes.count)
        * Double(perToken) + 4 * weights,
      of: "\(model.layers) layers of width \(model.width) and a batch of \(batchSize)")
  }
}
