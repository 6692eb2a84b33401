import Foundation
import Images
import TestSupport
import Testing

/// A folder with shards of ten frames each in `S`.
private func shards() throws -> TemporaryFolder {
  let montezuma = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Datasets/montezuma").standardized.path
  let folder = try TemporaryFolder()
  let made = try shell(
    "prep-atari '\(montezuma)' --size 16 --limit 20 --shard-size 10 --compression none --quiet "
      + "--out S",
    in: folder)
  #expect(made.status == 0, "\(made.errors)")
  return folder
}

/// Replaces bytes of a file where `old` stands first.
private func damage(_ path: String, _ old: [UInt8], _ new: [UInt8]) throws {
  var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
  let position = try #require(bytes.firstRange(of: Data(old)))
  bytes.replaceSubrange(position, with: new)
  try bytes.write(to: URL(fileURLWithPath: path))
}

@Suite("shard-info as a command")
struct ShardInfoTests {
  @Test func itTellsWhatIsInAShard() throws {
    let folder = try shards()
    let told = try shell("shard-info S/revenge-00000.h5", in: folder)
    #expect(told.status == 0 && told.errors == "", "\(told.errors)")
    let lines = told.output.split(separator: "\n").map(String.init)
    #expect(lines.first == "S/revenge-00000.h5")
    #expect(lines.contains { $0.hasPrefix("  vqgan-images, 10 rows, ") })
    #expect(lines.contains { $0.hasPrefix("  /images: uint8 [10 × 16 × 16 × 3], ") })
    #expect(lines.contains("  split = train"))
    #expect(!told.output.contains("verified"))

    let piped = try shell("echo S/revenge-00000.h5 | shard-info", in: folder)
    #expect(piped.output == told.output)
  }

  @Test func jsonIsOneObjectAShard() throws {
    let folder = try shards()
    let told = try shell("shard-info S --json --verify --quiet", in: folder)
    #expect(told.status == 0 && told.errors == "", "\(told.errors)")
    let objects = try jsonLines(told.output)
    #expect(objects.count == 2)
    for (index, object) in objects.enumerated() {
      #expect(object["path"] as? String == "S/revenge-0000\(index).h5")
      #expect(object["version"] as? Int == 1)
      let shard = try #require(object["shard"] as? [String: Any])
      #expect(shard["format"] as? String == "vqgan-images")
      #expect(shard["rows"] as? Int == 10)
      let verification = try #require(object["verification"] as? [String: Any])
      #expect(verification["rows"] as? Int == 10)
      #expect((verification["findings"] as? [String])?.isEmpty == true)
    }
  }

  @Test func damageIsFoundAndTheRestIsRead() throws {
    let folder = try shards()
    let path = folder("S/revenge-00000.h5")
    // One pixel of the first row.
    let pixels = try Data(contentsOf: URL(fileURLWithPath: path))
    let sound = try shell("shard-info S --verify --quiet", in: folder)
    #expect(sound.status == 0)
    #expect(sound.output.components(separatedBy: "verified: all 10 rows are whole").count == 3)
    var damaged = pixels
    damaged[damaged.count / 2] ^= 0x10
    var found = false
    // Not every byte belongs to a row; some of the first hundred behind the middle do.
    for position in stride(from: pixels.count / 4, to: pixels.count * 3 / 4, by: 97) where !found {
      damaged = pixels
      damaged[position] ^= 0x10
      try damaged.write(to: URL(fileURLWithPath: path))
      let outcome = try shell("shard-info S --verify --quiet", in: folder)
      found = outcome.status == 65
      guard found else { continue }
      #expect(outcome.output.contains("  damaged: S/revenge-00000.h5: "))
      #expect(outcome.output.contains("verified: all 10 rows are whole"), "the second shard")
      #expect(outcome.errors == "shard-info: 1 of 2 shards damaged; make them again\n")
    }
    #expect(found)
    // Without --verify no row is read.
    #expect(try shell("shard-info S", in: folder).status == 0)
  }

  /// The lengths of the texts carry no checksum, and libhdf5 follows them wherever they lead.
  @Test func aCrashOfTheLibraryIsAFinding() throws {
    let folder = try shards()
    let name = Array("revenge/10/3".utf8)
    let length: [UInt8] = [12, 0, 0, 0, 0, 0, 0, 0]
    try damage(
      folder("S/revenge-00000.h5"), length + name,
      [12, 0, 0, 0, 0xFF, 0x7F, 0, 0] + name)
    let outcome = try shell("shard-info S/revenge-00000.h5 --verify --quiet", in: folder)
    #expect(outcome.status == 65, "\(outcome.status): \(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1)
    #expect((outcome.output + outcome.errors).contains("damaged"))
  }

  @Test(
    "What is no shard is told in one line, without names of C functions",
    arguments: [
      ("text.h5", 65, "not a shard: not an HDF5 file"), ("empty.h5", 65, "an empty file"),
      ("cut.h5", 65, "truncated file"), ("pipe.h5", 65, "not a regular file"),
      ("nowhere.h5", 66, "no such file"), ("void", 66, "no *.h5 files in this folder"),
    ])
  func otherFiles(name: String, status: Int32, words: String) throws {
    let folder = try shards()
    for option in ["", "--verify"] {
      let outcome = try shell(
        """
        echo text > text.h5; : > empty.h5; head -c 3000 S/revenge-00000.h5 > cut.h5
        [ -e pipe.h5 ] || mkfifo pipe.h5; mkdir -p void; shard-info \(name) \(option) --quiet
        """, in: folder, seconds: 20)
      #expect(outcome.status == status, "\(option): \(outcome.errors)")
      let told = outcome.output + outcome.errors
      #expect(told.contains("\(name): ") && told.contains(words), "\(told)")
      #expect(told.firstRange(of: /H5[A-Z]|sblock|errno/) == nil, "\(told)")
    }
  }

  @Test func aPreviewIsAnImage() throws {
    let folder = try shards()
    let outcome = try shell(
      "shard-info S --preview sheet.png --count 9 --json | tail -1", in: folder)
    #expect(outcome.output == #"{"path":"sheet.png","version":1}"# + "\n", "\(outcome.errors)")
    let sheet = try ImageDecoder.decode(contentsOf: folder("sheet.png"))
    #expect(sheet.width >= 48 && sheet.height >= 48)
  }

  /// The rows are not even read: nothing is on stdout.
  @Test(arguments: [
    "nodir/x.png", "S", "S/", "pipe", "/dev/full", "S/revenge-00000.h5/x.png", "S/revenge-00000.h5",
  ])
  func aPreviewThatCannotBeMadeIsToldAtOnce(path: String) throws {
    let folder = try shards()
    let outcome = try shell(
      "mkfifo pipe; shard-info S --verify --preview \(path); status=$?; "
        + "[ -c /dev/full ] || exit 99; exit $status",
      in: folder, seconds: 20)
    #expect(outcome.status == 73, "\(outcome.errors)")
    #expect(outcome.output == "")
    #expect(outcome.errors.hasPrefix("shard-info: \(path): cannot be created ("))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder("S")).count == 5)
  }

  @Test func exitCodesAndSignals() throws {
    let folder = try shards()
    #expect(try shell("shard-info --version", in: folder).output.contains("."))
    #expect(try shell("shard-info S --count 0", in: folder).status == 64)
    #expect(try shell("shard-info S --frob", in: folder).status == 64)
    #expect(try shell(": | shard-info", in: folder).status == 66)
    #expect(try shell("shard-info S > /dev/full", in: folder).status == 74)
    // Waiting for a pipe that brings nothing.
    let stopped = try shell(
      "mkfifo pipe; sleep 30 > pipe & shard-info - < pipe & pid=$!; sleep 0.3; kill -TERM $pid; "
        + "wait $pid; s=$?; kill %1; exit $s",
      in: folder, seconds: 20)
    #expect(stopped.status == 143, "\(stopped.errors)")
  }
}
