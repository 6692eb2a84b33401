// Promises of the README that every command keeps, held against one command of each family.
import Foundation
import TestSupport
import Testing

@Suite("File systems without locks and little memory")
struct SystemPromiseTests {
  @Test(arguments: [
    ("P", "prep-images photos --size 8 --out P --quiet"),
    ("C", "encode-dataset images.h5 --vqgan vqgan --out C --quiet"),
    ("S", "sample-gpt --gpt run --count 2 --shards-out S --quiet"),
    ("I", "sample-gpt --gpt run --count 2 --out I --quiet"),
    ("V", "\(Workplace.vqgan) --out V --steps 1"),
    ("D", "decode-dataset train.h5 --vqgan vqgan --out D --quiet"),
    ("D", "decode-dataset train.h5 --vqgan vqgan --images --out D --quiet"),
    ("E", "shard-export images.h5 --out E --quiet"),
  ])
  func aFolderWithoutLocksIsWarnedOf(folder: String, command: String) throws {
    let place = try Workplace()
    try makeFaults(in: place.folder)
    let outcome = try shell(
      "LD_PRELOAD=$PWD/faults.so FAULT_CALL=flock FAULT_ERRNO=\(ENOLCK) \(command)",
      in: place.folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.errors
        == "warning: \(folder): its file system has no locks; see to it that no other process "
        + "works in it\n"
    )
  }

  /// The address space of a process ends before, at and behind what it needs: it never waits for
  /// memory that does not come.
  @Test(arguments: [250, 300, 400, 500, 600, 1000])
  func littleAddressSpaceIsEnoughOrAnError(mebibytes: Int) throws {
    let place = try Workplace()
    for command in [
      "\(Workplace.gpt) --threads 3 --out G --steps 2", "sample-gpt --gpt run --count 1 --out S",
      "prep-images photos --size 8 --jobs 3 --out P",
      "decode-dataset train.h5 --vqgan vqgan --threads 3 --out D",
      "evaluate photos photos --paired --threads 3",
    ] {
      let outcome = try shell(
        "ulimit -v \(mebibytes << 10); \(command) --quiet", in: place.folder,
        environment: ["SWIFT_BACKTRACE": "enable=no"], seconds: 60)
      // 127: no room for the program itself.
      #expect([0, 71, 74, 127].contains(outcome.status), "\(command): \(outcome)")
      if mebibytes == 1000 { #expect(outcome.status == 0, "\(command): \(outcome)") }
    }
  }

  @Test(arguments: [
    ("run/config.json", "train-gpt --out run --resume --steps 2"),
    ("run/config.json", "sample-gpt --gpt run --count 1 --out S"),
    ("run/checkpoints/step-000001/model.json", "sample-gpt --gpt run --count 1 --out S"),
    ("run/checkpoints/step-000001/state.json", "train-gpt --out run --resume --steps 2"),
    ("vqgan/model.json", "reconstruct images.h5 --vqgan vqgan --out X"),
    ("vqgan/model.json", "decode-dataset train.h5 --vqgan vqgan --out X"),
    ("vqgan/model.json", "evaluate train.h5 train.h5 --vqgan vqgan --paired"),
    ("c.json", "train-vqgan images.h5 --config c.json --steps 1 --out V"),
    ("p.yaml", "convert-checkpoint vqgan/model.safetensors --project p.yaml --out W"),
  ])
  func textsOfAHundredMegabytesAreRefused(file: String, command: String) throws {
    let place = try Workplace()
    if file.contains("checkpoints") {  // or they are found before
      try removeChecksums(ofCheckpoint: place.folder("run/checkpoints/step-000001"))
    }
    let outcome = try shell(
      """
      [ -e \(file) ] || echo '{}' > \(file)
      head -c 100000000 /dev/zero | tr '\\0' ' ' >> \(file)
      ulimit -v 1000000; \(command) --quiet
      """, in: place.folder)
    #expect(outcome.status == 65, "\(outcome.errors)")
    #expect(outcome.errors.contains("\(file): 1000"), "\(outcome.errors)")
    #expect(outcome.errors.contains("are expected here"), "\(outcome.errors)")
  }
}
