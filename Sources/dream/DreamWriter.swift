// The files that dream leaves.
import CommandSupport
import DurableFiles
import Images
import ModelCommands
import Models
import Shards
import Training

/// Writes dreams: an animation and a sheet of each, a code shard of all, raw video.
struct DreamWriter {
  let options: DreamOptions
  let world: WorldStage
  let games: RecordedGames
  let folder: OutputFolder?
  let writer: ResultWriter

  private static let shard = "dreams.h5"

  /// Whether a file in the folder is one of these.
  static func isResult(_ name: String) -> Bool {
    name == shard
      || (name.hasPrefix("dream-") || name.hasPrefix("sheet-")) && name.hasSuffix(".png")
  }

  func write(_ dreams: (own: [Dream], greedy: [Dream])) throws {
    if let folder { try write(dreams, in: folder) }
    guard let path = options.y4m else { return }
    let video = RawVideo.encoded(try frames(of: dreams.own), framesPerSecond: options.fps)
    if path == "-" {
      try StandardOutput.writeBytes(video)
    } else {
      try DurableFile.write(video, to: path)
      try writer.path(path)
    }
  }

  private func write(
    _ dreams: (own: [Dream], greedy: [Dream]), in folder: OutputFolder
  ) throws {
    for (dream, greedy) in zip(dreams.own, dreams.greedy) {
      let number = dream.number.padded(4)
      let (animation, sheet) = (folder("dream-\(number).png"), folder("sheet-\(number).png"))
      let frames = try (0...options.steps).map { try frame(of: dream, $0) }
      try AnimatedPNG.write(frames, milliseconds: 1000 / options.fps, to: animation)
      try tell(animation)
      try self.sheet(dream, greedy).rendered().writePNG(to: sheet)
      try tell(sheet)
      try Interruption.throwIfRequested()
    }
    let path = folder(Self.shard)
    let rows = try Dream.write(
      dreams.own, of: games.codes, actions: world.model.config.actions,
      downsampling: games.vqgan.config.downsampling, toolVersion: SuiteVersion.current, to: path)
    if rows > 0 { try tell(path) }
  }

  /// Video on stdout stands there alone.
  private func tell(_ path: String) throws {
    if options.y4m != "-" { try writer.path(path) }
  }

  private var recorded: RecordedImages { games.recorded }

  private func image(of dream: Dream, _ step: Int) throws -> RGBImage {
    try dream.image(step).map { try recorded.decoded($0) } ?? recorded.reconstruction(dream.start)
  }

  /// The dream, of recorded actions beside what was recorded where images are given.
  private func frame(of dream: Dream, _ step: Int) throws -> RGBImage {
    let dreamt = try image(of: dream, step)
    guard recorded.areGiven, options.actions.actions == .recorded else { return dreamt }
    let image = try isRecorded(dream, step) ? recorded.image(dream.start + step) : none(dreamt)
    return ContactSheet(
      [image, dreamt], columns: 2, columnHeaders: ["recording", "dream"], smallestSide: 160
    ).rendered()
  }

  private func isRecorded(_ dream: Dream, _ step: Int) -> Bool {
    recorded.data.hasRow(step, behind: dream.start)
  }

  /// In place of an image that was not recorded.
  private func none(_ other: RGBImage) -> RGBImage {
    RGBImage(width: other.width, height: other.height, filledWith: .grey(64))
  }

  /// All dreams side by side, step by step.
  private func frames(of dreams: [Dream]) throws -> [RGBImage] {
    let columns = Int(Double(dreams.count).squareRoot().rounded(.up))
    return try (0...options.steps).map { step in
      try Interruption.throwIfRequested()
      return ContactSheet(
        try dreams.map { try image(of: $0, step) }, columns: columns
      ).rendered()
    }
  }

  /// What was recorded and what is dreamt, at the start and at growing distances from it.
  private func sheet(_ dream: Dream, _ greedy: Dream) throws -> ContactSheet {
    let steps = [0] + DreamReport.horizons(upTo: options.steps)
    func row(_ image: (_ step: Int) throws -> RGBImage) rethrows -> [RGBImage] {
      try steps.map(image)
    }
    let start = try recorded.reconstruction(dream.start)
    let none = none(start)
    func isRecorded(_ step: Int) -> Bool { self.isRecorded(dream, step) }
    let reconstructions = try row {
      isRecorded($0) ? try recorded.reconstruction(dream.start + $0) : none
    }
    let own = try row { try image(of: dream, $0) }
    var rows: [(label: String, images: [RGBImage])] = []
    if recorded.areGiven {
      rows.append(
        ("recording", try row { try isRecorded($0) ? recorded.image(dream.start + $0) : none }))
    }
    rows.append(("reconstruction", reconstructions))
    rows.append(("greedy", try row { try image(of: greedy, $0) }))
    if !options.imagining.greedy { rows.append(("sampled", own)) }
    rows.append(
      (
        "difference",
        zip(steps, zip(own, reconstructions)).map { step, pair in
          isRecorded(step) ? pair.0.difference(from: pair.1) : none
        }
      ))
    return ContactSheet(
      rows: rows.map(\.images), columnHeaders: steps.map { "\($0)" },
      rowLabels: rows.map(\.label),
      caption: "from \(recorded.name(dream.start)), actions \(options.actions.argument)")
  }
}

extension RGBImage {
  /// White where both are equal, darker the more they differ.
  fileprivate func difference(from other: RGBImage) -> RGBImage {
    RGBImage(
      width: width, height: height,
      pixels: zip(pixels, other.pixels).map { 255 - UInt8(abs(Int($0) - Int($1))) })
  }
}
