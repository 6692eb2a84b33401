import Foundation
import Images
import TestSupport
import Testing

/// `Tools/compare-tokenizers.py` on three small images, but for what needs Python's packages.
@Suite("compare-tokenizers") struct CompareTokenizersTests {
  private static let tool = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Tools/compare-tokenizers.py").standardized.path

  /// A run that makes everything, then one that finds it made: the same row, speeds included.
  @Test func aSecondRunKeepsTheSpeeds() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder("photos"), withIntermediateDirectories: true)
    for index in 0..<3 {
      let pixels = CountedNumbers("photo \(index)").pixels(width: 32, height: 32)
      try RGBImage(width: 32, height: 32, pixels: pixels)
        .writePNG(to: folder("photos/\(index).png"))
    }
    let outcome = try shell(
      """
      set -e
      prep-images photos --out out/shards --size 32 --quiet >/dev/null
      train-vqgan out/shards --preset tiny --steps 1 --batch-size 1 --threads 1 --out V \
        --quiet >/dev/null
      python3 - '\(Self.tool)' '\(builtCommands)' <<'END'
      import argparse, importlib.util, json, pathlib, sys
      sys.dont_write_bytecode = True
      spec = importlib.util.spec_from_file_location("tool", sys.argv[1])
      tool = importlib.util.module_from_spec(spec)
      spec.loader.exec_module(tool)
      tool.codes_of = lambda shards: (3, 2.5, 1024, 8, 4)
      tool.first_images = lambda shards, count: []
      options = argparse.Namespace(bin=pathlib.Path(sys.argv[2]), out=pathlib.Path("out"), size=32,
                                   lpips=[], features=None, resize="tf")
      folder = options.out / "V"
      folder.mkdir()
      rows = [tool.measure(options, "V", "V", [], folder)[0] for _ in range(2)]
      print(json.dumps(rows))
      print(tool.table(rows + [{"name": "other", "encode/s": None, "decode/s": None}]), end="")
      rows[1]["warnings"].append("few")
      print(tool.notes(rows), end="")
      END
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n").map(String.init)
    try #require(lines.count == 7, "\(outcome.output)")
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [[String: Any]])
    for row in rows {
      #expect(row["bits"] as? Int == 320 && row["grid"] as? String == "8x4")
      #expect(row["bpp"] as? Double == 0.3125 && row["PSNR"] is Double)
      #expect((row["encode/s"] as? Double ?? 0) > 0 && (row["decode/s"] as? Double ?? 0) > 0)
    }
    #expect(NSDictionary(dictionary: rows[0]) == NSDictionary(dictionary: rows[1]))
    #expect(lines[1].hasPrefix("name ") && lines[1].hasSuffix("encode/s  decode/s"))
    #expect(lines[2] == lines[3] && lines[2].hasPrefix("V "))
    #expect(lines[4].hasPrefix("other ") && lines[4].hasSuffix("-"))
    // What defines the measures, and the warnings, are below the table and in every row.
    let definition = try #require(rows[0]["definition"] as? [String: Any])
    #expect(definition["reference_images"] as? Int == 3 && definition["seed"] as? Int == 0)
    #expect(lines[5].hasPrefix("tool swift-vqgan evaluate "))
    #expect(lines[5].contains("reference images 3") && lines[6] == "V: few")
  }
}
