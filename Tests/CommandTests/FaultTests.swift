import Foundation
import Images
import TestSupport
import Testing

/// A folder in COCO's layout, `coco`, with 24 images, and what an undisturbed run makes of it in
/// `whole`.
private func corpus() throws -> TemporaryFolder {
  let folder = try TemporaryFolder()
  for name in ["train2017", "annotations"] {
    try FileManager.default.createDirectory(
      atPath: folder("coco/\(name)"), withIntermediateDirectories: true)
  }
  var images: [String] = []
  var captions: [String] = []
  for id in 1...24 {
    var image = RGBImage(width: 64, height: 48, filledWith: .grey(UInt8(id * 10)))
    for x in 0..<64 { image[x, (x * id) % 48] = RGBColor(red: UInt8(x * 3), green: 7, blue: 9) }
    try image.writePNG(to: folder("coco/train2017/\(id).jpg"))
    images.append(#"{"id":\#(id),"file_name":"\#(id).jpg","width":64,"height":48}"#)
    captions.append(#"{"id":\#(id),"image_id":\#(id),"caption":"A grey wall, number \#(id)."}"#)
  }
  // One image that is skipped, so that the reports have something to lose.
  try Data("no image".utf8).write(to: URL(fileURLWithPath: folder("coco/train2017/9.jpg")))
  let file =
    #"{"images":[\#(images.joined(separator: ","))],"#
    + #""annotations":[\#(captions.joined(separator: ","))]}"#
  try Data(file.utf8).write(
    to: URL(fileURLWithPath: folder("coco/annotations/captions_train2017.json")))
  let whole = try shell("\(command) --out whole", in: folder)
  #expect(whole.status == 0, "\(whole.errors)")
  return folder
}

private let command =
  "prep-coco coco --size 48 --captions --shard-size 2 --compression 4 --quiet --jobs 2"

/// Shell functions for a folder $1 that a disturbed run has left.
private let functions = """
  # What stands under a final name is what the undisturbed run made.
  sound() {
    for shard in "$1"/*.h5; do
      [ -e "$shard" ] || continue
      cmp "$shard" "whole/${shard##*/}" || exit 91
    done
  }
  # The same command again makes the rest, byte by byte, and sweeps up.
  mends() {
    \(command) --out "$1" > lines || exit 92
    diff -r -x .lock whole "$1" || exit 93
    [ "$(wc -l < lines)" = 12 ] || exit 94
    rm -r "$1"
  }
  """

@Suite("Killed and out of space")
struct FaultTests {
  /// A part of `make fault-test`: its driver works, and finds nothing.
  @Test func theFaultSuiteFindsNothing() throws {
    let driver = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../fault-test.py").standardized.path
    let outcome = try shell(
      "python3 \(driver) \(builtCommands) --commands prep-images,shard-info --max-points 40 "
        + "--jobs 1",
      seconds: 600)
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    #expect(outcome.output.hasPrefix(#"{"points": "#))
    #expect(outcome.output.contains(#""violations": [], "#))
  }

  /// SIGKILL at moments spread over the run's own time, from before its first file to after its
  /// last.
  @Test func afterAKillAtAnyMomentTheSameCommandCompletes() throws {
    let folder = try corpus()
    let outcome = try shell(
      """
      \(functions)
      start=$(date +%s%N); \(command) --out S > lines; end=$(date +%s%N); rm -r S
      step=$(( (end - start) / 24 ))
      killed=0
      for moment in 1 3 5 7 9 11 13 15 17 19 21 23; do
        status=0
        timeout --foreground -s KILL "$(printf '0.%09d' $((step * moment)))" \(command) --out S \
          > lines || status=$?
        [ $status = 0 ] || killed=$((killed + 1))
        mkdir -p S; sound S; mends S
      done
      echo "killed $killed"
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.status): \(outcome.output)\(outcome.errors)")
    let killed = Int(outcome.output.split(separator: " ").last?.dropLast() ?? "") ?? 0
    // A busy machine may finish some early; that all did would test nothing.
    #expect(killed >= 3, "\(outcome.output)")
  }

  /// Files cannot grow beyond so many blocks of 512 bytes, from less than the manifest to more than
  /// a shard needs.
  @Test func aFullDiskIsToldAndTheSameCommandCompletes() throws {
    let folder = try corpus()
    let outcome = try shell(
      """
      \(functions)
      full=0
      for blocks in 4 5 6 7 8 11 14 17 20 24 28 32 36 40 46 52 60 80 200; do
        status=0
        (ulimit -f $blocks; exec \(command) --out S) > lines 2> errors || status=$?
        case $status in
        0) [ $full -gt 5 ] || exit 95 ;;
        74)
          full=$((full + 1))
          [ ! -s lines ] || exit 96
          grep -q '^prep-coco: S/[^ ]*: .*File too large' errors || { cat errors; exit 97; }
          [ "$(wc -l < errors)" = 1 ] || exit 98
          ls -a S | grep -q tmp- && exit 99 ;;
        *) cat errors; exit $status ;;
        esac
        sound S; mends S
      done
      [ $status = 0 ] && echo "full $full"
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.status): \(outcome.output)\(outcome.errors)")
    #expect(outcome.output.hasPrefix("full "))
  }
}

@Suite("Files that may not be read")
struct UnreadableFileTests {
  /// Root reads everything, unless it gives that privilege away.
  private let unprivileged = """
    as=; [ "$(id -u)" != 0 ] || as="setpriv --bounding-set=-dac_override,-dac_read_search"
    : > probe; chmod 0 probe; ! $as cat probe 2> /dev/null || exit 99
    """

  private func run(_ script: String, in folder: TemporaryFolder) throws -> ShellOutcome {
    let outcome = try shell("\(unprivileged)\n\(script)", in: folder)
    #expect(outcome.status != 99, "this machine cannot take the privilege to read everything away")
    return outcome
  }

  @Test func anImageOfMode0000IsSkippedWithItsReason() throws {
    let folder = try corpus()
    let outcome = try run(
      "chmod 0 coco/train2017/5.jpg; $as \(command) --out S && cat S/skipped.jsonl", in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n").suffix(2).map(String.init)
    let skipped =
      #"{"name":"train2017/5.jpg","reason":"coco/train2017/5.jpg: open failed: "#
      + #"Permission denied","shard":"coco-00002.h5"}"#
    #expect(lines.first == skipped)
    #expect(lines.last?.contains("train2017/9.jpg") == true)
  }

  @Test(arguments: [
    ("chmod 0 coco/annotations/*.json; $as prep-coco coco --out S", 66, "captions_train2017.json"),
    ("chmod 0 coco/train2017; $as prep-coco coco --out S", 66, "coco/train2017"),
    ("chmod 0 coco/train2017; $as prep-images coco/train2017 --out S", 66, "coco/train2017"),
    ("find coco -name '?.jpg' > l; chmod 0 l; $as prep-images l --out S", 66, "l"),
    ("chmod 0 whole/coco-00000.h5; $as shard-info whole/coco-00000.h5", 66, "coco-00000.h5"),
    ("mkdir D; chmod 555 D; $as prep-coco coco --out D/S", 73, "D/S"),
    ("mkdir D; chmod 555 D; $as prep-coco coco --out D", 73, "D/.lock"),
    ("mkdir D; chmod 555 D; $as shard-info whole --preview D/x.png", 73, "D/x.png"),
    // Before any work: no model has been looked for.
    (
      "mkdir D; chmod 555 D; $as sample-gpt --gpt none --count 1 --out I --animate D/x.png", 73,
      "D/x.png"
    ),
    (
      "mkdir D; chmod 555 D; $as sample-gpt --gpt none --count 1 --out I --codes-out D/c.h5", 73,
      "D/c.h5"
    ),
    (
      "mkdir D; chmod 555 D; $as dream --world none --from-codes none --y4m D/y", 73, "D/y"
    ),
    (
      "mkdir D; chmod 555 D; $as convert-checkpoint none --to taming --out D/v.ckpt", 73, "D/v.ckpt"
    ),
  ])
  func whatCannotBeReadOrMadeIsNamed(script: String, status: Int32, name: String) throws {
    let folder = try corpus()
    let outcome = try run("\(script); s=$?; chmod -R u+rwX .; exit $s", in: folder)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.output == "")
    #expect(outcome.errors.contains("\(name): ") && outcome.errors.contains("Permission denied"))
  }
}
