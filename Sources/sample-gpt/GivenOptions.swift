// What the pictures start from.
import ArgumentParser
import CommandSupport
import Models
import TensorCore
import Training

/// Conditions, and parts of pictures to complete.
struct GivenOptions: ParsableArguments {
  @Option(help: "Labels, for a GPT conditioned by one; pictures take them in turns.")
  var label: NumberList<Int>?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Pictures or image shards to complete; see --half and --mask.", valueName: "path"))
  var fromImage: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Code shards whose rows give conditions, and with --half or --mask codes.", valueName: "path")
  )
  var fromCodes: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Label maps, PNG files or image shards, for a GPT conditioned by their codes.",
      valueName: "path"))
  var segmentation: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Depth maps, PNG files or image shards, for a GPT conditioned by their codes.",
      valueName: "path"))
  var depth: [String] = []

  @Flag(help: "PNG files of label maps hold COCO-Stuff's own numbers: 0 person, 255 none.")
  var stuffNumbers = false

  @Option(
    help: ArgumentHelp(
      "VQGAN of the conditions; the one that the GPT was trained with if left out.",
      valueName: "path"))
  var conditionVqgan: String?

  @Option(help: "The half that is kept: top, bottom, left or right.") var half: GridPart?

  @Option(
    help: ArgumentHelp(
      "Picture whose white part is kept and whose black part is drawn.", valueName: "file"))
  var mask: String?

  func validate() throws {
    if half != nil, mask != nil { throw ValidationError("--half and --mask exclude each other.") }
    let sources = [
      ("--from-image", fromImage), ("--from-codes", fromCodes), ("--segmentation", segmentation),
      ("--depth", depth),
    ]
    let given = sources.filter { !$0.1.isEmpty }.map(\.0)
    if given.contains("--from-codes"), given.count > 1 {
      throw ValidationError("\(given.joined(separator: " and ")) exclude each other.")
    }
    if !segmentation.isEmpty, !depth.isEmpty {
      throw ValidationError("--segmentation and --depth exclude each other.")
    }
    if (half != nil || mask != nil) && fromImage.isEmpty && fromCodes.isEmpty {
      throw ValidationError("--half and --mask keep part of a picture: name it with --from-image.")
    }
    if !fromImage.isEmpty, half == nil, mask == nil {
      throw ValidationError("--from-image needs --half or --mask: what of the picture is kept?")
    }
    if stuffNumbers, segmentation.isEmpty {
      throw ValidationError(
        "--stuff-numbers is about the files of --segmentation, which is missing.")
    }
    if label != nil, !fromCodes.isEmpty {
      throw ValidationError("--label and --from-codes exclude each other.")
    }
  }

  /// Whether part of pictures is kept.
  private var keepsParts: Bool { half != nil || mask != nil }

  /// Whether anything says how many pictures there are.
  var isAnything: Bool {
    label != nil
      || [fromImage, fromCodes, segmentation, depth].contains { !$0.isEmpty }
  }

  /// The cells that are kept; nil for none.
  func isGiven(by sampler: PictureSampler) throws -> [Bool]? {
    let mask = half.map(SampleMask.half) ?? mask.map(SampleMask.file)
    return try mask?.cells(of: sampler.grid, factor: sampler.vqgan.config.downsampling)
  }

  /// What samples start from, in turns; at least one.
  ///
  /// - Throws: `ConditionError` where the GPT wants another condition, and what reading and encoding throw.
  /// - Parameters:
  ///   - end: the samples' last number and one.
  ///   - shown: the starts that the page of the run shows.
  func starts(
    _ sampler: PictureSampler, end: Int, shown: ShownStarts, on device: Device
  ) throws -> [SampleStart] {
    var starts = [SampleStart(name: "")]
    if !fromImage.isEmpty {
      starts = try sampler.pictures(
        try InputPaths.expand(fromImage, suffix: ".h5"), end: end, shown: shown)
    } else if !fromCodes.isEmpty {
      guard keepsParts || sampler.gpt.condition != nil else {
        throw ValidationError(
          "--from-codes needs --half or --mask: \(sampler.gpt.path) has no condition to take from it."
        )
      }
      starts = try sampler.rows(
        try InputPaths.expand(fromCodes, suffix: ".h5"), end: end, keepsCodes: keepsParts,
        shown: shown)
    }
    guard let condition = sampler.gpt.condition else {
      guard label == nil, segmentation.isEmpty, depth.isEmpty else {
        throw ConditionError.unfit(
          path: sampler.gpt.path, wanted: "nothing", found: "a condition is given")
      }
      return starts
    }
    if !fromCodes.isEmpty { return starts }
    let conditions = try self.conditions(condition, sampler, end: end, shown: shown, on: device)
    // Several pictures under one condition, or one under several.
    let total = max(starts.count, conditions.count)
    return (0..<total).map { index in
      let condition = conditions[index % conditions.count]
      var start = starts[index % starts.count]
      start.condition = condition.condition
      start.picture = start.picture ?? condition.picture
      if start.name.isEmpty { start.name = condition.name }
      return start
    }
  }

  private func conditions(
    _ condition: GPTCondition, _ sampler: PictureSampler, end: Int, shown: ShownStarts,
    on device: Device
  ) throws -> [SampleStart] {
    func missing(_ found: String) -> ConditionError {
      .unfit(path: sampler.gpt.path, wanted: condition.title, found: found)
    }
    if condition.kind != .codes, !segmentation.isEmpty { throw missing("--segmentation is given") }
    if condition.kind != .codes, !depth.isEmpty { throw missing("--depth is given") }
    if condition.kind != .label, label != nil { throw missing("--label is given") }
    switch condition.kind {
    case .label:
      let labels = label?.values ?? Array(0..<condition.vocabulary)
      for label in labels where !(0..<condition.vocabulary).contains(label) {
        throw missing("--label is \(label), expected 0 to \(condition.vocabulary - 1)")
      }
      return labels.map {
        SampleStart(name: "\(condition.column ?? "label") \($0)", condition: .tokens([Int32($0)]))
      }
    case .codes:
      guard !segmentation.isEmpty || !depth.isEmpty else {
        let option = condition.input == "depth" ? "--depth" : "--segmentation"
        throw missing("neither \(option) nor --from-codes is given")
      }
      let path = conditionVqgan ?? condition.grid?.vqgan ?? ""
      guard !path.isEmpty else {
        throw ValidationError(
          "Missing --condition-vqgan: \(sampler.gpt.path) does not say where its VQGAN is.")
      }
      let stage = try FirstStage.loadCondition(path, on: device)
      guard depth.isEmpty else {
        return try sampler.depthMaps(
          try InputPaths.expand(depth, suffix: ".h5"), end: end, shown: shown, encodedBy: stage)
      }
      return try sampler.labelMaps(
        try InputPaths.expand(segmentation, suffix: ".h5"), end: end, shown: shown,
        stuffNumbers: stuffNumbers, encodedBy: stage)
    case .coordinates: return [SampleStart(name: "", condition: sampler.coordinates)]
    case .boxes, .points: throw missing("--from-codes is not given")
    }
  }
}

extension GridPart: ExpressibleByArgument {}
