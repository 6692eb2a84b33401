// What tests of all families of commands share.
import DurableFiles
import Images
import TestSupport
import Testing

/// What commands need: image shards, codes, a VQGAN, a GPT `run`, and a folder of images.
struct Workplace {
  let stage: GPTCommandTests.Stage
  var folder: TemporaryFolder { stage.folder }

  init() throws {
    stage = try GPTCommandTests.Stage()
    try Self.images(folder("images.h5"), brightness: 1)
    try DurableFile.createFolder(folder("photos"))
    for number in 0..<40 {
      try RGBImage(width: 9, height: 9, filledWith: .grey(UInt8(number)))
        .writePNG(to: folder("photos/\(number).png"))
    }
    let made = try shell("\(Self.gpt) --out run --steps 1", in: folder)
    #expect(made.status == 0, "\(made.errors)")
  }

  /// Trainings of the smallest models on what is there; `--out` and `--steps` are to follow.
  static let gpt =
    "train-gpt train.h5 --layers 1 --heads 2 --width 16 --batch-size 4 --threads 1 --quiet"
  static let vqgan = "train-vqgan images.h5 --preset tiny --batch-size 2 --threads 1 --quiet"

  static func images(_ path: String, brightness: Int) throws {
    try imageShard(path, rows: 6) { row in
      (0..<768).map { UInt8(($0 * brightness + row * 31) % 256) }
    }
  }
}
