// The folders of a sweep of one kind: golden files, and the copy in which one of them is changed.
import DurableFiles
import Foundation

struct Stage: Sendable {
  let path: String
  var golden: String { "\(path)/golden" }
  var work: String { "\(path)/work" }

  /// Makes the golden files.
  ///
  /// They are made in the folder that they are read from, whose path some of them hold.
  func make(_ kind: SweepKind) throws {
    try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
    try kind.make(work)
    try FileManager.default.copyItem(atPath: work, toPath: golden)
  }

  /// Makes everything as it was.
  func reset(_ kind: SweepKind) throws {
    DurableFile.remove(work)
    try FileManager.default.copyItem(atPath: golden, toPath: work)
  }

  func restore(_ file: String) throws {
    try replace("\(work)/\(file)", by: try DurableFile.read("\(golden)/\(file)"))
  }

  /// Puts a new file in the place of another, as a command would find it: not the old one changed.
  func replace(_ path: String, by bytes: [UInt8]) throws {
    let new = "\(self.path)/new"
    try Data(bytes).write(to: URL(fileURLWithPath: new))
    guard rename(new, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
  }

  func mutation(_ kind: SweepKind, _ seed: UInt64, _ number: Int) throws -> Mutation {
    let file = kind.files[number % kind.files.count]
    return Mutation(
      of: try DurableFile.read("\(golden)/\(file)"), seed: seed, kind: kind.name, number: number)
  }
}
