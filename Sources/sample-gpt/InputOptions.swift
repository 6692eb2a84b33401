// What the images start from.
import ArgumentParser
import CommandSupport
import Ingest
import Models
import TensorCore
import Training

/// Conditions, and parts of images to complete.
struct InputOptions: ParsableArguments {
  @Option(help: "Labels, for a GPT conditioned by one; images take them in turns.")
  var label: NumberList<Int>?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Images or image shards to complete; see --half and --mask.", valueName: "path"))
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

  @Option(help: "The half that is kept: top, bottom, left or right.") var half: ImageHalf?

  @Option(
    help: ArgumentHelp(
      "Image whose white part is kept and whose black part is sampled.", valueName: "file"))
  var mask: String?

  @OptionGroup var photos: PhotoOptions

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
      throw ValidationError("--half and --mask keep part of an image: name it with --from-image.")
    }
    if !fromImage.isEmpty, half == nil, mask == nil {
      throw ValidationError("--from-image needs --half or --mask: what of the image is kept?")
    }
    if photos.upright, fromImage.isEmpty {
      throw ValidationError("--upright is about the files of --from-image, which is missing.")
    }
    if stuffNumbers, segmentation.isEmpty {
      throw ValidationError(
        "--stuff-numbers is about the files of --segmentation, which is missing.")
    }
    if label != nil, !fromCodes.isEmpty {
      throw ValidationError("--label and --from-codes exclude each other.")
    }
  }

  /// Whether part of images is kept.
  private var keepsParts: Bool { half != nil || mask != nil }

  /// Whether anything says how many images there are.
  var isAnything: Bool {
    label != nil
      || [fromImage, fromCodes, segmentation, depth].contains { !$0.isEmpty }
  }

  /// What samples start from, in turns.
  ///
  /// - Throws: `ConditionError` where the GPT wants another condition, and what opening and the
  ///   mask throw.
  func inputs(of sampler: ImageSampler, on device: Device) throws -> SampleInputs {
    var images: SampleSource?
    if !fromImage.isEmpty {
      images = try sampler.images(try InputPaths.shards(fromImage), reading: photos.reading)
    } else if !fromCodes.isEmpty {
      guard keepsParts || sampler.gpt.condition != nil else {
        throw ValidationError(
          "--from-codes needs --half or --mask: \(sampler.gpt.path) has no condition to take from it."
        )
      }
      images = try sampler.rows(
        try InputPaths.shards(fromCodes), keepsCodes: keepsParts)
    }
    let conditions = try conditions(sampler, on: device)
    let mask = half.map(SampleMask.half) ?? mask.map(SampleMask.file)
    return SampleInputs(
      of: sampler.grid, images: images, conditions: conditions,
      mask: try mask?.cells(
        of: sampler.positions, factor: sampler.vqgan.config.downsampling, reading: photos.reading
      ).flatMap { Array(repeating: $0, count: sampler.depth) })
  }

  /// The conditions, unless code shards hold them or the GPT takes none.
  private func conditions(_ sampler: ImageSampler, on device: Device) throws -> SampleSource? {
    guard let condition = sampler.gpt.condition else {
      guard label == nil, segmentation.isEmpty, depth.isEmpty else {
        throw ConditionError.unfit(
          path: sampler.gpt.path, wanted: "nothing", found: "a condition is given")
      }
      return nil
    }
    if !fromCodes.isEmpty { return nil }
    func unfit(_ found: String) -> ConditionError {
      .unfit(path: sampler.gpt.path, wanted: condition.title, found: found)
    }
    let taken: Set<String> =
      switch condition.kind {
      case .label: ["--label"]
      case .codes: ["--segmentation", "--depth"]
      case .coordinates, .objects: []
      }
    let all = [
      ("--segmentation", !segmentation.isEmpty), ("--depth", !depth.isEmpty),
      ("--label", label != nil),
    ]
    for (option, isGiven) in all where isGiven && !taken.contains(option) {
      throw unfit("\(option) is given")
    }
    switch condition.kind {
    case .label(let known):
      let labels = label?.values ?? Array(0..<known.vocabulary)
      for label in labels where !(0..<known.vocabulary).contains(label) {
        throw unfit("--label is \(label), expected 0 to \(known.vocabulary - 1)")
      }
      return SampleSource(named: labels.count) {
        SampleInput(condition: .tokens([Int32(labels[$0])]))
      }
    case .codes(let codes):
      guard !segmentation.isEmpty || !depth.isEmpty else {
        let option = codes.input == "depth" ? "--depth" : "--segmentation"
        throw unfit("neither \(option) nor --from-codes is given")
      }
      let path =
        try conditionVqgan
        ?? codes.grid.storedVQGAN(of: sampler.gpt.path, option: "--condition-vqgan")
      let stage = try FirstStage.loadCondition(path, on: device)
      guard depth.isEmpty else {
        return try sampler.depthMaps(
          try InputPaths.shards(depth), limits: photos.size.limits, encodedBy: stage)
      }
      return try sampler.labelMaps(
        try InputPaths.shards(segmentation), stuffNumbers: stuffNumbers,
        limits: photos.size.limits, encodedBy: stage)
    case .coordinates(let coordinates): return sampler.coordinates(coordinates)
    case .objects: throw unfit("--from-codes is not given")
    }
  }
}

extension ImageHalf: ExpressibleByArgument {}
