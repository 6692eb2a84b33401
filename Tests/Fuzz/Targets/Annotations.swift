// Annotations of COCO and rows of recordings.

import CAnnotations
import Corpora

enum Annotations {
  /// JSON at once and in pieces, of as many bytes as the first one of the input says.
  static func events(_ input: [UInt8], _ scratch: ScratchFolder) throws {
    let text = Array(input.dropFirst())
    let whole = Events(text, step: text.count + 1)
    let parts = Events(text, step: Int(input.first ?? 0) + 1)
    // What comes before a mistake may come or not.
    precondition(whole.isGood == parts.isGood, "JSON depends on how it is cut")
    precondition(!whole.isGood || whole == parts, "events depend on how the text is cut")
  }

  static func objects(_ input: [UInt8], _ scratch: ScratchFolder) throws {
    let objects = try COCOObjects(path: try scratch.file(input))
    for image in objects.images.prefix(100) {
      for annotation in objects.annotations(of: image.id).prefix(100) {
        let (width, height) = (image.width ?? 64, image.height ?? 64)
        guard width * height <= 1 << 16 else { continue }
        _ = try? objects.mask(of: annotation, width: width, height: height)
      }
    }
    let maps = COCOLabelMaps(things: objects, stuff: nil)
    for image in objects.images.prefix(10) {
      guard let width = image.width, let height = image.height, width * height <= 1 << 16 else {
        continue
      }
      _ = try maps.labels(of: image.id, width: width, height: height)
    }
  }

  static func captions(_ input: [UInt8], _ scratch: ScratchFolder) throws {
    let captions = try COCOCaptions(path: try scratch.file(input))
    for image in captions.images { _ = captions.captions(of: image.id) }
  }

  /// The JSON of an outline behind two bytes, the sides of its image.
  static func mask(_ input: [UInt8], _ scratch: ScratchFolder) throws {
    guard input.count > 2 else { return }
    let (width, height) = (Int(input[0]) + 1, Int(input[1]) + 1)
    let mask = try COCOMask(segmentation: Array(input[2...]), width: width, height: height)
    let runs = mask.runs
    precondition(runs.reduce(0) { $0 + Int($1) } == width * height, "runs of another image")
    let inside = stride(from: 1, to: runs.count, by: 2).reduce(0) { $0 + Int(runs[$1]) }
    precondition(inside == mask.area, "\(mask.area) pixels in runs of \(inside)")
    let json = "{\"counts\": \(runs), \"size\": [\(height), \(width)]}"
    let again = try COCOMask(segmentation: Array(json.utf8), width: width, height: height)
    precondition(again == mask, "the mask of its own runs is another one")
  }

  static func trajectory(_ input: [UInt8], _ scratch: ScratchFolder) throws {
    let trajectory = try AtariTrajectoryParser.parse(input, path: "input")
    _ = trajectory.lastFrame
    for fault in trajectory.faults { _ = fault.description }
    for note in trajectory.notes { _ = note.description }
    precondition(
      zip(trajectory.rows, trajectory.rows.dropFirst()).allSatisfy { $0.frame < $1.frame },
      "frames that do not ascend")
  }
}

/// What the reader makes of a text.
private struct Events: Equatable {
  private var all: [Event] = []
  private(set) var isGood = true
  private var mended = 0

  private struct Event: Equatable {
    let kind: UInt32
    let text: [UInt8]
    let end: Int64
  }

  private final class Recorder {
    var parser: OpaquePointer?
    var events: [Event] = []
  }

  /// - Parameter step: bytes that the reader gets at once.
  init(_ text: [UInt8], step: Int) {
    let recorder = Recorder()
    let parser = je_create(
      { context, kind, text, length in
        guard let context else { return 0 }
        let recorder = Unmanaged<Recorder>.fromOpaque(context).takeUnretainedValue()
        let bytes = Array(UnsafeRawBufferPointer(start: text, count: length))
        recorder.events.append(
          Event(kind: kind.rawValue, text: bytes, end: je_offset(recorder.parser)))
        return 1
      }, Unmanaged.passUnretained(recorder).toOpaque())
    recorder.parser = parser
    defer { je_free(parser) }
    var rest: [CChar] = []
    var offset = 0
    repeat {
      let end = min(text.count, offset + step)
      rest += text[offset..<end].map { CChar(bitPattern: $0) }
      offset = end
      let taken = je_parse(parser, &rest, rest.count, offset == text.count ? 1 : 0)
      isGood = taken >= 0
      if isGood { rest.removeFirst(taken) }
    } while isGood && offset < text.count
    all = recorder.events
    mended = je_mended(parser)
  }
}
