import Foundation
import TestSupport
import Testing

private let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appendingPathComponent("../..").standardized.path

/// `Tools/fetch-coco.sh` against a server on this machine that holds archives like COCO's.
@Suite("Getting COCO")
struct FetchCOCOTests {
  /// Makes the archives in `mirror`; `fetch` asks a server that breaks every answer off after
  /// 200,000 bytes.
  private static let start = """
    set -eu
    mkdir -p mirror/annotations mirror/zips made/annotations made/train2017 made/val2017
    for kind in instances captions stuff; do
      for split in train val; do
        head -c 300000 /dev/urandom > made/annotations/${kind}_${split}2017.json
      done
    done
    zipped() { (cd made; python3 -m zipfile -c "../mirror/$1" $2); }
    zipped annotations/stuff_annotations_trainval2017.zip annotations
    zipped annotations/annotations_trainval2017.zip annotations
    stuff=stuff_annotations_trainval2017.zip
    python3 '\(repository)/Tests/Fixtures/serve.py' mirror 200000 port requests &
    server=$!
    trap 'kill $server' EXIT
    while [ ! -s port ]; do sleep 0.05; done
    COCO_MIRROR=http://127.0.0.1:$(cat port)
    COCOSTUFF_MIRROR=$COCO_MIRROR
    export COCO_MIRROR COCOSTUFF_MIRROR
    fetch() { '\(repository)/Tools/fetch-coco.sh' coco "$@"; }

    """

  private func run(_ script: String) throws -> ShellOutcome {
    let folder = try TemporaryFolder()
    let outcome = try shell(Self.start + script, in: folder)
    #expect(outcome.status == 0, "\(outcome.status): \(outcome.output)\(outcome.errors)")
    return outcome
  }

  @Test func brokenTransfersGoOnAndWhatIsThereStays() throws {
    let outcome = try run(
      """
      fetch stuff
      cut -d ' ' -f 2 requests
      for file in coco/annotations/*; do cmp "$file" "made/annotations/${file##*/}"; done
      ls coco/annotations
      : > requests; fetch stuff; [ ! -s requests ]
      """)
    #expect(
      outcome.output == """
        coco
        0
        200000
        400000
        600000
        800000
        1000000
        1200000
        1400000
        1600000
        1800000
        stuff_train2017.json
        stuff_val2017.json
        coco

        """)
  }

  /// Runs that were stopped in the middle of a transfer, or between its end and the check.
  @Test(arguments: ["head -c 1000000", "cat"])
  func stoppedRunsGoOn(kept: String) throws {
    let outcome = try run(
      """
      mkdir -p coco/archives
      \(kept) mirror/annotations/$stuff > coco/archives/$stuff.part
      fetch stuff
      cmp mirror/annotations/$stuff coco/archives/$stuff
      head -n 1 requests | cut -d ' ' -f 2; wc -c < mirror/annotations/$stuff
      """)
    let lines = outcome.output.split(separator: "\n")
    #expect(lines[1] == (kept == "cat" ? lines[2] : "1000000"))
  }

  @Test func damagedAndForeignArchivesAreRefused() throws {
    let outcome = try run(
      """
      mkdir -p coco/archives
      head -c 500000 /dev/zero > coco/archives/$stuff.part
      fetch stuff || echo $?
      fetch annotations || echo $?
      fetch train || echo $?
      fetch bicycles 2> /dev/null || echo $?
      ls coco coco/archives
      """)
    #expect(
      outcome.output == """
        65
        65
        69
        64
        coco:
        archives

        coco/archives:
        annotations_trainval2017.zip.part
        stuff_annotations_trainval2017.zip.part

        """)
    for words in [
      "coco/archives/stuff_annotations_trainval2017.zip.part: a damaged archive; remove it",
      "coco/archives/annotations_trainval2017.zip.part: not the published file; remove it",
      "/zips/train2017.zip: cannot be had now",
    ] {
      #expect(outcome.errors.contains(words), "\(outcome.errors)")
    }
  }

  /// With a stand-in for md5sum, which the published sums would not let pass.
  @Test func archivesAreUnpackedWherePrepCOCOLooksAndCounted() throws {
    let outcome = try run(
      """
      mkdir bin; printf '#!/bin/sh\\n' > bin/md5sum; chmod +x bin/md5sum
      PATH=$PWD/bin:$PATH
      fetch annotations
      ls coco/annotations
      (cd made/val2017; seq 5000 | sed 's/$/.jpg/' | xargs touch)
      zipped zips/val2017.zip val2017
      fetch val; ls coco/val2017 | wc -l
      (cd made; mv val2017 val; mkdir val2017; touch train2017/1.png val2017/1.png)
      (cd made; python3 -m zipfile -c ../mirror/stuffthingmaps_trainval2017.zip train2017 val2017)
      fetch maps || echo $?
      ls coco/stuffthingmaps
      """)
    #expect(
      outcome.output == """
        coco
        captions_train2017.json
        captions_val2017.json
        instances_train2017.json
        instances_val2017.json
        coco
        5000
        65
        train2017
        val2017

        """)
    #expect(
      outcome.errors.contains(
        "coco/stuffthingmaps/train2017: 1 images, expected 118287; remove the folder"))
  }
}
