import DurableFiles

/// Text files and folders of a corpus; every byte of them is external.
enum CorpusFile {
  /// 2²⁸ bytes hold ten million rows; the whole data set has that many over 10⁴ files.
  static let limit = 1 << 28

  /// The bytes of a regular file.
  ///
  /// - Throws: `.notARegularFile` for folders, pipes and devices (never waits for one), `.tooLarge`
  ///   above `limit`, `.linkLeadsOut`, `.unreadable`.
  static func read(
    _ name: String, in folder: ConfinedFolder
  ) throws(AtariCorpusError) -> [UInt8] {
    let path = folder.path(of: name)
    do throws(ConfinementError) {
      let file = try folder.open(name)
      do throws(DurableFileError) {
        return try file.contents(atMost: limit)
      } catch {
        throw .file(error)
      }
    } catch {
      switch error {
      case .nameLeadsOut, .linkLeadsOut: throw .linkLeadsOut(path: path, folder: folder.path)
      case .file(let error): throw AtariCorpusError(error, path: path)
      }
    }
  }

  /// All names in a folder, sorted by their bytes.
  ///
  /// - Throws: `.unreadable`.
  static func names(in folder: String) throws(AtariCorpusError) -> [String] {
    do throws(DurableFileError) {
      return try DurableFile.list(folder)
    } catch {
      throw AtariCorpusError(error, path: folder)
    }
  }
}
