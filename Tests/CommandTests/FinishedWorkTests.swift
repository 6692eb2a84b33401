// What an earlier run has finished, and somebody has changed since, in the commands that continue.
import DurableFiles
import Foundation
import Images
import TestSupport
import Testing

@Suite("Finished work that was changed")
struct FinishedWorkTests {
  /// One bit of a finished file: it is made again, a warning names it, and all ends as if nothing
  /// had happened.
  @Test(arguments: [
    ("prep-images photos --size 8 --shard-size 2 --out R", "R/images-00001.h5"),
    ("encode-dataset images.h5 --vqgan vqgan --out R", "R/images.h5"),
    ("decode-dataset train.h5 --vqgan vqgan --out R", "R/train.h5"),
    ("decode-dataset train.h5 --vqgan vqgan --images --out R", "R/train-00003.png"),
    ("sample-gpt --gpt gpt --count 4 --shard-size 2 --shards-out R", "R/samples-00001.h5"),
  ])
  func changedFilesAreMadeAgain(command: String, file: String) throws {
    let folder = try GPTCommandTests.Stage().folder
    try imageShard(folder("images.h5"), rows: 2) { row in
      (0..<768).map { UInt8(($0 + row * 31) % 256) }
    }
    try DurableFile.createFolder(folder("photos"))
    for number in 0..<4 {
      try RGBImage(width: 9, height: 9, filledWith: .grey(UInt8(number * 40)))
        .writePNG(to: folder("photos/\(number).png"))
    }
    let made = try shell(
      """
      set -e
      train-gpt train.h5 --layers 1 --heads 2 --width 16 --batch-size 4 --steps 1 --out gpt \
        --quiet > lines
      \(command) --quiet > first; cp -r R whole
      """, in: folder)
    #expect(made.status == 0, "\(made)")
    var bytes = try DurableFile.read(folder(file))
    bytes[bytes.count / 2] ^= 1
    try DurableFile.write(bytes, to: folder(file))
    let again = try shell(
      "\(command) --quiet > second; echo $?; cmp first second; diff -r whole R; "
        + "\(command) --quiet | cmp first -",
      in: folder)
    #expect(again.output == "0\n", "\(again)")
    #expect(
      again.errors == "warning: \(file): not the file that was written; it is made again\n",
      "\(again.errors)")
  }
}
