import DurableFiles
import Platform

/// Why a folder in the Atari Grand Challenge layout, or one of its recordings, cannot be read.
package enum AtariCorpusError: Error, Equatable, Sendable {
  case missingFolder(path: String)
  case notACorpus(path: String)
  case noGame(path: String, game: String, found: [String])
  case noEpisodes(path: String)
  case noSuchEpisode(id: Int, path: String, game: String, found: [Int])
  case unreadable(path: String, errno: Int32)
  case notARegularFile(path: String)
  case linkLeadsOut(path: String, folder: String)
  case tooLarge(path: String, bytes: Int, limit: Int)
  case noRows(path: String)
  case missingColumn(path: String, line: Int, column: String)
  case noImages(path: String)

  init(_ error: DurableFileError, path: String) {
    self =
      switch error {
      case .notAFile: .notARegularFile(path: path)
      case .tooLarge(_, let bytes, let limit): .tooLarge(path: path, bytes: bytes, limit: limit)
      case .failed(_, _, let code), .cannotCreate(_, let code): .unreadable(path: path, errno: code)
      case .busy, .replaced: .unreadable(path: path, errno: EBUSY)
      }
  }
}

extension AtariCorpusError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .missingFolder(let path):
      "\(path): no such folder; expected one with screens/ and trajectories/"
    case .notACorpus(let path):
      "\(path): no screens/ and trajectories/ in it, nor in atari_v2_release/ or atari_v1/ below it; "
        + "pass the root of an Atari Grand Challenge folder"
    case .noGame(let path, let game, let found):
      "\(path): no screens/\(game) and trajectories/\(game); games found: "
        + (found.isEmpty ? "none" : found.joined(separator: ", "))
    case .noEpisodes(let path):
      "\(path): no trajectories, expected files such as 1.txt"
    case .noSuchEpisode(let id, let path, let game, let found):
      "\(path)/trajectories/\(game): no trajectory \(id); found "
        + found.prefix(20).map(String.init).joined(separator: ", ")
        + (found.count > 20 ? ", …" : "")
    case .unreadable(let path, let number):
      "\(path): cannot be read: \(String(cString: strerror(number)))"
    case .notARegularFile(let path):
      "\(path): not a regular file"
    case .linkLeadsOut(let path, let folder):
      "\(path): a link to an absolute path or out of \(folder), expected a file in it (--follow-symlinks reads it)"
    case .tooLarge(let path, let bytes, let limit):
      "\(path): \(bytes) bytes, a trajectory has at most \(limit)"
    case .noRows(let path):
      "\(path): no rows, expected lines such as 0,0,0,0,3 below frame,reward,score,terminal,action"
    case .missingColumn(let path, let line, let column):
      "\(path):\(line): the header does not name \(column), expected frame,reward,score,terminal,action"
    case .noImages(let path):
      "\(path): no images, expected files such as 0.png"
    }
  }
}
