import Foundation
import TestSupport

/// A small folder in the Grand Challenge layout, written by a test.
struct GrandChallengeFolder {
  let folder: TemporaryFolder
  var path: String { folder.path }

  init() throws {
    folder = try TemporaryFolder()
  }

  /// Writes `trajectories/revenge/ID.txt`.
  func trajectory(_ id: String, _ text: String) throws {
    let parent = folder("trajectories/revenge")
    try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(parent)/\(id)"))
  }

  /// Writes files without content: the corpus looks at names alone.
  func screens(_ id: String, _ names: [String]) throws {
    let parent = folder("screens/revenge/\(id)")
    try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
    for name in names {
      try Data().write(to: URL(fileURLWithPath: "\(parent)/\(name)"))
    }
  }
}

let header = "db traj id : 1\nframe,reward,score,terminal,action\n"
