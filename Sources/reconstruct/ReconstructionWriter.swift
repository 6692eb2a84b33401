// The images that reconstruct leaves, and what is told of them.
import CommandSupport
import DurableFiles
import Foundation
import Images
import Training

/// Writes reconstructions as they come, and a sheet of some of them at the end.
struct ReconstructionWriter {
  /// The codes of all images.
  var histogram: CodeHistogram
  private let folder: OutputFolder
  private let total: Int
  private var pages: [Page] = []
  private var cells: [RGBImage] = []

  private static let sheet = "sheet.png"

  /// More would make a page that nobody can open.
  private static let pairsOnSheet = 48

  /// - Parameter total: images to come.
  init(in folder: OutputFolder, codebookSize: Int, depth: Int, of total: Int) {
    self.folder = folder
    self.total = total
    histogram = CodeHistogram(codebookSize: codebookSize, depth: depth)
  }

  /// Measures a reconstruction and writes it.
  ///
  /// - Parameter background: what stands still in the input.
  mutating func add(
    _ input: NamedImage, _ image: RGBImage, background: RGBImage?
  ) throws -> Page {
    let number = pages.count
    let path = folder("\(number.padded(4))-\(Self.fileName(of: input.name)).png")
    try image.writePNG(to: path)
    let page = Page(
      name: input.name, path: path,
      metrics: ReconstructionMetrics(of: image, against: input.image, background: background))
    pages.append(page)
    let shown = min(total, Self.pairsOnSheet)
    // Image k of the sheet is image k·total/shown of all.
    if cells.count / 2 < shown, number == cells.count / 2 * total / shown {
      cells += [input.image, image]
    }
    return page
  }

  /// Writes the sheet.
  func finish() throws -> Summary {
    let sheet = folder(Self.sheet)
    let pairs = cells.count / 2
    let pairsInRow = max(1, Int((Double(pairs) / 2).squareRoot().rounded()))
    let headers = Array(repeating: ["input", "reconstruction"], count: pairsInRow).flatMap { $0 }
    let summary = Summary(
      images: pages.count, metrics: ReconstructionMetrics(meanOf: pages.map(\.metrics)),
      histogram: histogram, sheet: sheet)
    try ContactSheet(
      cells, columns: 2 * pairsInRow, columnHeaders: headers, caption: summary.text,
      smallestSide: 84  // room for the headings
    ).rendered().writePNG(to: sheet)
    return summary
  }

  /// Whether a file of this name was written here: `0000-NAME.png`, or the sheet.
  static func isPage(_ name: String) -> Bool {
    let number = name.prefix { $0.isASCII && $0.isNumber }
    return name == sheet
      || number.count >= 4 && name.dropFirst(number.count).hasPrefix("-") && name.hasSuffix(".png")
  }

  /// The end of an input's name without its ending, as a part of a file's name: `a/b c.png` gives
  /// `a-b c`.
  private static func fileName(of name: String) -> String {
    var stem = name[...]
    if let suffix = [".png", ".jpg", ".jpeg"].first(where: name.lowercased().hasSuffix) {
      stem = name.dropLast(suffix.count)
    }
    var safe = String(
      String.UnicodeScalarView(
        stem.unicodeScalars.map { scalar in
          ["/", "\\"].contains(scalar) || scalar.properties.isControl ? "-" : scalar
        }))
    while safe.utf8.count > 200 { safe.removeFirst() }
    return String(safe.drop { $0 == "-" })
  }

  /// One reconstruction.
  struct Page: Encodable {
    let name: String
    let path: String
    let metrics: ReconstructionMetrics

    var text: String { "\(name): \(metrics.text)" }

    private enum CodingKeys: String, CodingKey { case name, path }

    func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(name, forKey: .name)
      try values.encode(path, forKey: .path)
      try metrics.encode(to: encoder)
    }
  }

  /// All reconstructions.
  struct Summary: Encodable {
    let images: Int
    let metrics: ReconstructionMetrics
    let histogram: CodeHistogram
    let sheet: String

    var text: String {
      "\(images == 1 ? "1 image" : "\(images) images"): \(metrics.text), \(histogram.used) of \(histogram.counts.count) codes used"
    }

    private enum CodingKeys: String, CodingKey {
      case sheet, perplexity
      case images = "pictures"
      case codesUsed = "codes_used"
      case codebookSize = "n_embed"
    }

    func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: CodingKeys.self)
      try metrics.encode(to: encoder)
      try values.encode(images, forKey: .images)
      try values.encode(histogram.used, forKey: .codesUsed)
      try values.encode(histogram.counts.count, forKey: .codebookSize)
      try values.encode(histogram.perplexity, forKey: .perplexity)
      try values.encode(sheet, forKey: .sheet)
    }
  }
}

extension ReconstructionMetrics {
  /// The metrics for people.
  fileprivate var text: String {
    let similarity = ssim.map { String(format: ", SSIM %.4f", $0) } ?? ""
    return String(format: "PSNR %.2f dB", psnr) + similarity
      + String(format: ", mean absolute error %.2f", meanAbsoluteError)
      + (rareIoU.map { String(format: ", IoU of rare colours %.3f", $0) } ?? "")
      + (movingIoU.map { String(format: ", of what moves %.3f", $0) } ?? "")
      + (movingRecovered.map {
        String(
          format: ", moving parts of %.0f %% of %d recovered", 100 * $0, movingFrames ?? 0)
      } ?? "")
  }
}

extension Unicode.Scalar.Properties {
  /// Whether a name with the character could steer a terminal.
  fileprivate var isControl: Bool {
    [.control, .lineSeparator, .paragraphSeparator].contains(generalCategory)
  }
}
