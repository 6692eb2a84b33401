// The options of the evaluations in a training.
import ArgumentParser
import Images
import ModelCommands
import Training

private let defaults = EvaluationSettings(every: 1)

/// What `train-vqgan` measures of its reconstructions, as `evaluate` does.
struct EvaluationOptions: ParsableArguments {
  @Option(
    help: """
      Steps between evaluations of reconstructions of validation images; never if left out.
      """)
  var evaluateEvery: Int?

  @Option(help: "Images of an evaluation, at most (default: \(defaults.count)).")
  var evaluateCount: Int?

  @Option(
    help: ArgumentHelp(
      "What distances are measured on: inception=FILE, lite0=FILE, latents or none "
        + "(default: \(defaults.features)).", valueName: "kind"))
  var features: String?

  @Option(
    help: "How images come to the size of the network (default: \(defaults.resize.rawValue)).")
  var resize: FeatureResize?

  @Option(
    help: ArgumentHelp(
      "LPIPS: one file of VGG16 and heads, or twice: AlexNet or SqueezeNet, and the heads.",
      valueName: "file"))
  var lpips: [String] = []

  func validate() throws {
    if let evaluateEvery, evaluateEvery < 1 {
      throw ValidationError("--evaluate-every must be positive, got \(evaluateEvery).")
    }
    if let features, features != "none", FeatureSource(features) == nil {
      throw ValidationError(
        "--features must be inception=FILE, lite0=FILE, latents or none, got '\(features)'.")
    }
  }

  /// Puts the options that were given into a configuration.
  func change(_ config: inout VQGANRunConfig) throws {
    if let evaluateEvery, config.evaluation == nil {
      config.evaluation = EvaluationSettings(every: evaluateEvery)
    }
    guard var evaluation = config.evaluation else {
      guard evaluateCount == nil, features == nil, resize == nil, lpips.isEmpty else {
        throw ValidationError(
          "--evaluate-count, --features, --resize and --lpips need --evaluate-every.")
      }
      return
    }
    if let evaluateEvery { evaluation.every = evaluateEvery }
    if let evaluateCount { evaluation.count = evaluateCount }
    if let features { evaluation.features = Self.absolute(features) }
    if let resize { evaluation.resize = resize }
    if !lpips.isEmpty { evaluation.lpips = lpips.map(TrainingOptions.absolute) }
    config.evaluation = evaluation
  }

  /// `inception=FILE` with the absolute path of its file.
  private static func absolute(_ features: String) -> String {
    guard let sign = features.firstIndex(of: "=") else { return features }
    return String(features[...sign])
      + TrainingOptions.absolute(String(features[features.index(after: sign)...]))
  }
}

extension FeatureResize: ExpressibleByArgument {}
