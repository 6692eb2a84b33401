import Foundation
import Images
import Ingest
import Shards
import TestSupport

/// A small folder in the Grand Challenge layout: recordings 1, 2 and 3 of a game that moves a dot
/// over a coloured room.
struct SmallCorpus {
  static let width = 20
  static let height = 30

  let folder: TemporaryFolder
  var path: String { folder.path }

  /// - Parameter frames: frames of each recording; recording i has `frames[i - 1]`.
  init(frames: [Int] = [12, 9, 7]) throws {
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder("trajectories/revenge"), withIntermediateDirectories: true)
    for (index, count) in frames.enumerated() {
      let id = index + 1
      try FileManager.default.createDirectory(
        atPath: folder("screens/revenge/\(id)"), withIntermediateDirectories: true)
      for frame in 0..<count {
        try Self.state(id, frame).writePNG(to: image(id, frame))
      }
      try setRows(id, (0..<count).map { Self.row($0, of: count) })
    }
  }

  /// Reward 10 in every third frame, action = frame mod 18, the last row terminal.
  static func row(_ frame: Int, of count: Int) -> String {
    let reward = frame % 3 == 0 ? 10 : 0
    return "\(frame),\(reward),\((frame / 3 + 1) * 10),\(frame == count - 1 ? 1 : 0),\(frame % 18)"
  }

  func setRows(_ id: Int, _ rows: [String]) throws {
    let text =
      "db traj id : \(id)\nframe,reward,score,terminal,action\n" + rows.map { $0 + "\n" }.joined()
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder("trajectories/revenge/\(id).txt")))
  }

  func image(_ id: Int, _ frame: Int) -> String { folder("screens/revenge/\(id)/\(frame).png") }

  /// What recording `id` shows at `frame`.
  static func state(_ id: Int, _ frame: Int) -> RGBImage {
    var image = RGBImage(
      width: width, height: height, filledWith: RGBColor(red: UInt8(40 * id), green: 90, blue: 20))
    image[frame % width, height / 2] = .white
    return image
  }

  func replace(_ id: Int, _ frame: Int, with bytes: [UInt8]) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: image(id, frame)))
  }
}

/// What `prep-atari` is told.
@dynamicMemberLookup
struct AtariOptions {
  var frames: FrameOptions
  var recipe: ImageRecipe
  var shards: ShardOptions

  /// Options that keep every pixel of the small corpus, in shards of five rows.
  static func small(_ change: (inout AtariOptions) -> Void = { _ in }) throws -> AtariOptions {
    var options = AtariOptions(
      frames: try .parse([]),
      recipe: try .parse([
        "--size", "\(SmallCorpus.width)x\(SmallCorpus.height)", "--filter", "nearest",
      ]), shards: try .parse(["--name", "dots", "--shard-size", "5"]))
    change(&options)
    return options
  }

  subscript<Value>(dynamicMember path: WritableKeyPath<FrameOptions, Value>) -> Value {
    get { frames[keyPath: path] }
    set { frames[keyPath: path] = newValue }
  }

  subscript<Value>(dynamicMember path: WritableKeyPath<ShardOptions, Value>) -> Value {
    get { shards[keyPath: path] }
    set { shards[keyPath: path] = newValue }
  }
}

extension TrajectoryList: ExpressibleByArrayLiteral {
  public init(arrayLiteral ids: Int...) {
    guard let list = TrajectoryList(argument: ids.map(String.init).joined(separator: ",")) else {
      preconditionFailure("\(ids)")
    }
    self = list
  }
}

/// Plans and writes.
///
/// - Returns: what the folder holds, and the names of the shards that this run made.
@discardableResult
func ingest(
  _ corpus: SmallCorpus, _ options: AtariOptions, to folder: String, threads: Int = 2,
  policy: ErrorPolicy = ErrorPolicy(), progress: (IngestEvent) throws -> Void = { _ in }
) throws -> (outcome: IngestOutcome, newShards: [String]) {
  let plan = try AtariPlanner.plan(
    path: corpus.path, frames: options.frames, recipe: options.recipe, shards: options.shards,
    threads: threads, policy: policy, progress: progress)
  var new: [String] = []
  let outcome = try ShardIngest(
    plan: plan, folder: folder, threads: threads, policy: policy, toolVersion: "test"
  ).run { event in
    if case .finished(let shard) = event { new.append(shard) }
    try progress(event)
  }
  return (outcome, new)
}

/// The bytes of every file in a folder except its lock.
func files(in folder: String) throws -> [String: Data] {
  var files: [String: Data] = [:]
  for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name != ".lock" {
    files[name] = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))
  }
  return files
}

extension ImageShardReader {
  func integers(_ label: String) throws -> [Int]? { try contents.labels(label).integers }
}
