import Foundation
import TestSupport
import Testing

/// What unsafe or huge input may cost, and files that may not be read.
@Suite("Bounded time and memory")
struct ResourceTests {
  /// Runs a command and prints what it took at the most: MiB of memory, and seconds of all cores
  /// together.
  private static let cost = """
    cost() {
      python3 -c '
    import resource, subprocess, sys
    status = subprocess.call(sys.argv[1:])
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(used.ru_maxrss >> 10, used.ru_utime + used.ru_stime)
    sys.exit(status)' "$@"
    }

    """

  /// The last line of what `cost` printed.
  private func cost(_ outcome: ShellOutcome) throws -> (mebibytes: Double, seconds: Double) {
    let numbers = try #require(outcome.output.split(separator: "\n").last)
      .split(separator: " ").compactMap { Double($0) }
    try #require(numbers.count == 2, "\(outcome.output)")
    return (numbers[0], numbers[1])
  }

  /// Small files that ask for gigabytes or for minutes; the harmless image beside them arrives.
  @Test func bombsCostNothing() throws {
    let folder = try TemporaryFolder()
    let outcome = try shell(
      Self.cost + """
        set -e
        python3 - '\(Fixture.path("images/progressive-grey.jpg"))' \
          '\(Fixture.path("images/rgb-8.png"))' <<'END'
        import os, struct, sys, zlib
        os.mkdir("in")
        def chunk(kind, data):
            return (struct.pack(">I", len(data)) + kind + data
              + struct.pack(">I", zlib.crc32(kind + data)))
        def write(name, data):
            open("in/" + name, "wb").write(data)
        rows = zlib.compressobj(9)
        pixels = b"".join(rows.compress(bytes(3751 * 100)) for _ in range(300)) + rows.flush()
        write("area.png", b"\\x89PNG\\r\\n\\x1a\\n"
          + chunk(b"IHDR", struct.pack(">IIBBBBB", 30000, 30000, 1, 0, 0, 0, 0))
              + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))
        grey = open(sys.argv[1], "rb").read()
        frame = grey.index(b"\\xff\\xc2")
        write("sides.jpg", grey[:frame + 5] + struct.pack(">HH", 65500, 65500) + grey[frame + 9:])
        scan = grey.index(b"\\xff\\xda")
        end = scan + 10
        while not (grey[end] == 0xFF and grey[end + 1]):
            end += 1
        first = bytearray(grey[scan:end])
        first[9] = 0
        write("scans.jpg", grey[:scan] + bytes(first) * 100_000 + b"\\xff\\xd9")
        small = open(sys.argv[2], "rb").read()
        text = zlib.compress(bytes(60_000_000), 9)
        assert len(pixels) < 200_000 and len(text) < 70_000
        write("text.png", small[:33] + chunk(b"iCCP", b"a\\0\\0" + text)
          + chunk(b"zTXt", b"Comment\\0\\0" + text) + small[33:])
        END
        cost prep-images in --size 16 --out S --quiet
        """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let report = try String(contentsOfFile: folder("S/skipped.jsonl"), encoding: .utf8)
    for words in ["30000x30000 pixels", "65500x65500 pixels", "scans"] {
      #expect(report.contains(words), "\(report)")
    }
    #expect(report.split(separator: "\n").count == 3 && !report.contains("text.png"))
    let (mebibytes, seconds) = try cost(outcome)
    #expect(mebibytes < 200, "\(outcome.output)")
    #expect(seconds < 1, "\(outcome.output)")
  }

  /// A list of 450 MB in one line: only what is kept of it takes room.
  @Test func hugeAnnotationFilesFitInLittleMemory() throws {
    let folder = try TemporaryFolder()
    let outcome = try shell(
      Self.cost + """
        set -e
        mkdir -p coco/train2017 coco/annotations
        cp '\(Fixture.path("images/rgb-8.png"))' coco/train2017/1.jpg
        python3 - <<'END'
        corners = ", ".join(f"{n % 33}.{n}, {n % 25}.5" for n in range(40))
        with open("coco/annotations/instances_train2017.json", "w") as file:
            file.write('{"images": [{"id": 1, "file_name": "1.jpg", "width": 33, "height": 25}],'
                       ' "annotations": [')
            for hundred in range(8000):
                file.write(("," if hundred else "") + ",".join(
                    f'{{"segmentation": [[{corners}]], "area": 9.5, "iscrowd": 0, "image_id": 1,'
                    f' "bbox": [1, 2, 3, 4], "category_id": 1, "id": {hundred * 100 + n}}}'
                    for n in range(100)))
            file.write('], "categories": [{"id": 1, "name": "person"}]}')
        END
        [ "$(wc -c < coco/annotations/instances_train2017.json)" -gt 450000000 ]
        [ "$(wc -l < coco/annotations/instances_train2017.json)" = 0 ]
        cost prep-coco coco --objects --segmentation annotations --size 16 --out S --quiet --dry-run
        """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try cost(outcome).mebibytes < 300, "\(outcome.output)")
  }

  /// Root reads everything, unless it gives the right up.
  @Test func imagesWithoutPermissionAreSkipped() throws {
    let folder = try TemporaryFolder()
    let outcome = try shell(
      """
      set -e
      mkdir in
      for name in a b c; do cp '\(Fixture.path("images/rgb-8.png"))' in/$name.jpg; done
      chmod 000 in/b.jpg
      bound=
      [ "$(id -u)" != 0 ] || bound='setpriv --bounding-set -dac_override,-dac_read_search'
      ! $bound cat in/b.jpg 2> /dev/null
      $bound prep-images in --size 16 --out S
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("read 3, written 2, skipped 1"), "\(outcome.errors)")
    #expect(outcome.errors.contains("in/b.jpg: open failed: Permission denied"))
  }
}
