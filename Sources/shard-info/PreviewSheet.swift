import CommandSupport
import DurableFiles
import Images
import Platform

/// The file of the preview: begun before any work, so that a path where none can be is found at
/// once.
final class PreviewSheet {
  let path: String
  private var file: UnfinishedFile

  /// - Throws: `cannotCreate`, also where another file than a PNG would be lost.
  init(at path: String) throws(DurableFileError) {
    self.path = path
    try OutputFile.watchFolder(of: path)
    file = try UnfinishedFile(for: path)
    if DurableFile.exists(path), try !Self.isPNG(path) {
      throw .cannotCreate(path: path, errno: EEXIST)
    }
  }

  private static func isPNG(_ path: String) throws(DurableFileError) -> Bool {
    let start = try OpenFile(reading: path).bytes(0..<8)
    return start == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
  }

  /// Writes the image; it appears under its name when it is complete.
  func publish(_ image: RGBImage) throws(DurableFileError) {
    try file.write(image.encodedPNG())
    try file.publish()
  }
}
