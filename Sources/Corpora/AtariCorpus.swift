import DurableFiles

/// A folder in the layout of the Atari Grand Challenge data set, seen for one game.
///
/// `ROOT/screens/GAME/ID/N.png` and `ROOT/trajectories/GAME/ID.txt`. ROOT may also be a folder that
/// holds one of the unpacked archives, `atari_v1` or `atari_v2_release`.
package struct AtariCorpus: Equatable, Sendable {
  package let root: String
  /// Folder name of the game: `revenge`, `qbert`, `mspacman`, `pinball`, `spaceinvaders`, or one of
  /// your own.
  package let game: String
  /// Numbers of the recordings that have a text file, ascending; they may have gaps.
  package let ids: [Int]
  /// Names among the text files and image folders that are no recording, sorted.
  package let ignored: [String]
  /// Recordings that have images and no text file, ascending.
  package let idsWithoutTrajectory: [Int]
  private let followsLinks: Bool

  /// Lists the recordings of `game` without reading any.
  ///
  /// - Parameter followsLinks: whether links to texts may point out of the folder.
  /// - Throws: `.notACorpus` when `path` is not in the layout, `.noGame` when the game is not
  ///   there, `.noEpisodes` when it has none.
  package init(
    path: String, game: String, followsLinks: Bool = false
  ) throws(AtariCorpusError) {
    let root = try Self.root(at: path)
    guard !game.isEmpty, !DurableFile.hasSlash(game), game != ".", game != "..",
      DurableFile.isFolder("\(root)/trajectories/\(game)"),
      DurableFile.isFolder("\(root)/screens/\(game)")
    else {
      let found = try CorpusFile.names(in: "\(root)/screens").filter { !$0.hasPrefix(".") }
      throw .noGame(path: root, game: game, found: found.sorted())
    }
    var ids: [Int] = []
    var ignored: [String] = []
    for name in try CorpusFile.names(in: "\(root)/trajectories/\(game)") {
      if let id = NumberedName.number(of: name, suffix: ".txt") {
        ids.append(id)
      } else {
        ignored.append("trajectories/\(game)/\(name)")
      }
    }
    let known = Set(ids)
    var alone: [Int] = []
    for name in try CorpusFile.names(in: "\(root)/screens/\(game)") {
      guard let id = NumberedName.number(of: name, suffix: "") else {
        ignored.append("screens/\(game)/\(name)")
        continue
      }
      if !known.contains(id) { alone.append(id) }
    }
    guard !ids.isEmpty else { throw .noEpisodes(path: "\(root)/trajectories/\(game)") }
    self.root = root
    self.followsLinks = followsLinks
    self.game = game
    self.ids = ids.sorted()
    self.ignored = ignored.sorted()
    idsWithoutTrajectory = alone.sorted()
  }

  /// Reads recording `id`.
  ///
  /// - Throws: `.noSuchEpisode` for a number that is not in `ids`, and what `AtariEpisode` throws.
  package func episode(_ id: Int) throws(AtariCorpusError) -> AtariEpisode {
    guard ids.contains(id) else { throw .noSuchEpisode(id: id, path: root, game: game, found: ids) }
    let folder: ConfinedFolder
    do throws(DurableFileError) {
      folder = try ConfinedFolder(root, followsLinks: followsLinks)
    } catch {
      throw .missingFolder(path: root)
    }
    return try AtariEpisode(id, of: game, in: folder)
  }

  private static func root(at path: String) throws(AtariCorpusError) -> String {
    guard DurableFile.isFolder(path) else { throw .missingFolder(path: path) }
    let candidates = [path, "\(path)/atari_v2_release", "\(path)/atari_v1"]
    for root in candidates
    where DurableFile.isFolder("\(root)/screens")
      && DurableFile.isFolder("\(root)/trajectories")
    {
      return root
    }
    throw .notACorpus(path: path)
  }
}
