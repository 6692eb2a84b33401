import DurableFiles
import Images

/// The file of the preview: begun before any work, so that a path where none can be is found at once.
final class PreviewSheet {
  let path: String
  private var file: UnfinishedFile

  init(at path: String) throws(DurableFileError) {
    self.path = path
    file = try UnfinishedFile(for: path)
  }

  /// Writes the picture; it appears under its name when it is complete.
  func publish(_ picture: RGBImage) throws(DurableFileError) {
    try file.write(picture.encodedPNG())
    try file.publish()
  }
}
