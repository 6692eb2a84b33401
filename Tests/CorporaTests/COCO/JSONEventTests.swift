// The JSON reader against itself in other windows, and against Foundation's.

import CAnnotations
import Foundation
import Testing

private struct Event: Equatable {
  var kind: UInt32
  var text: [UInt8]
  var offset: Int64
}

/// What the reader makes of a text.
private struct Reading: Equatable {
  var events: [Event] = []
  var isGood = false
  var mended = 0
}

private final class Recorder {
  var parser: OpaquePointer?
  var events: [Event] = []
}

/// Reads `bytes` in windows of at least `step`; `emptying` is a key whose lists of numbers come
/// empty.
private func read(_ bytes: [UInt8], step: Int, emptying: String? = nil) -> Reading {
  let recorder = Recorder()
  let parser = je_create(
    { context, kind, text, length in
      guard let context else { return 0 }
      let recorder = Unmanaged<Recorder>.fromOpaque(context).takeUnretainedValue()
      let bytes = UnsafeRawBufferPointer(start: text, count: length)
      recorder.events.append(
        Event(kind: kind.rawValue, text: Array(bytes), offset: je_offset(recorder.parser)))
      return 1
    }, Unmanaged.passUnretained(recorder).toOpaque())
  recorder.parser = parser
  let key = emptying.map { strdup($0) } ?? nil
  if key != nil { je_empty_lists(parser, key) }
  defer {
    je_free(parser)
    free(key)
  }
  var rest: [CChar] = []
  var offset = 0
  var isGood = true
  repeat {
    let end = min(bytes.count, offset + step)
    rest += bytes[offset..<end].map { CChar(bitPattern: $0) }
    offset = end
    let taken = je_parse(parser, &rest, rest.count, offset == bytes.count ? 1 : 0)
    isGood = taken >= 0
    if isGood { rest.removeFirst(taken) }
  } while isGood && offset < bytes.count
  return Reading(events: recorder.events, isGood: isGood, mended: je_mended(parser))
}

@Suite("JSON events")
struct JSONEventTests {
  private static let texts = [
    #"{"a": [1, -2.5e+3, 0, 0.0, 10], "b": {"c": "d\n\"\\\/\b\f\r\t", "": null}, "#
      + #""e": [true, false]}"#,
    #"["\u00e9\u20ac\ud83d\ude00\u0000x", "é€😀", "\ud800", "\ude00\ud83d", "\\ud800"]"#,
    " [ ] ", "{}", "[[],{},[{}]]", "\"text\"", "true", "null", "-0", "12.5E-7",
    "\u{FEFF}[1]", #"["a text of more than eight bytes \"with\" another", "behind it\\"]"#,
  ]

  @Test("Whole texts give the same events whatever the windows", arguments: texts)
  func sameEvents(text: String) {
    let bytes = Array(text.utf8)
    let expected = read(bytes, step: bytes.count)
    #expect(expected.isGood)
    for step in [1, 2, 3, 5, 7, 11, 64, 1000] {
      #expect(read(bytes, step: step) == expected, "\(step)")
    }
  }

  @Test("Events carry decoded texts and the offset behind them")
  func events() {
    let reading = read(Array(#"{"é\u0041": -1.5e3}"#.utf8), step: 100)
    #expect(
      reading.events == [
        Event(kind: JE_BEGIN_OBJECT.rawValue, text: [], offset: 1),
        Event(kind: JE_KEY.rawValue, text: Array("éA".utf8), offset: 11),
        Event(kind: JE_NUMBER.rawValue, text: Array("-1.5e3".utf8), offset: 19),
        Event(kind: JE_END_OBJECT.rawValue, text: [], offset: 20),
      ])
  }

  /// The text without each of its bytes, cut before it, and with others in its place.
  private static func variants(of bytes: [UInt8], with others: [UInt8]) -> [[UInt8]] {
    var variants: [[UInt8]] = []
    for position in bytes.indices {
      let (before, after) = (Array(bytes[..<position]), Array(bytes[(position + 1)...]))
      variants += [before, before + after]
      for other in others { variants.append(before + [other] + after) }
    }
    return variants
  }

  /// Foundation refuses the escaped halves that are mended here, takes a comma before a closing
  /// bracket, and guesses other encodings from zero bytes.
  @Test("Cut or changed texts are good or bad as Foundation finds them", arguments: texts)
  func sameRefusals(text: String) {
    let others: [UInt8] = [
      9, 0x0B, 0x0C, 0x20, 0x22, 0x2C, 0x2D, 0x2E, 0x30, 0x3A, 0x5B, 0x5C, 0x5D, 0x65, 0x7B, 0x7D,
      0x80, 0xFF,
    ]
    for variant in Self.variants(of: Array(text.utf8), with: others) {
      let reading = read(variant, step: 5)
      #expect(read(variant, step: 3).isGood == reading.isGood)
      if reading.isGood { #expect(read(variant, step: 3) == reading) }
      let shown = String(decoding: variant, as: UTF8.self)
      guard reading.mended == 0, !shown.contains(",]") else { continue }
      let object = try? JSONSerialization.jsonObject(
        with: Data(variant), options: .fragmentsAllowed)
      #expect(reading.isGood == (object != nil), "\(shown)")
    }
  }

  @Test("Zero bytes are refused")
  func zeroBytes() {
    for text in Self.texts {
      let bytes = Array(text.utf8)
      for position in bytes.indices {
        var changed = bytes
        changed[position] = 0
        #expect(!read(changed, step: 5).isGood)
      }
    }
  }

  private static let lists = [
    #"{"a": [[1]], "x": [[1, -2.50, 0.0, 10], [3 ,4]\#t,\#n [ ] ] , "b": [2], "#
      + #""x":[[0,-0,1.5]],"c":"x"}"#,
    #"[{"x" : [[12.25, 1000000]]}, "\"x\": [[1]]", {"x": "x"}, {"\"x": [[1, 2]]}]"#,
    #"{"x": [], "x": [[]], "x": [1, [2]], "x": [[[3]]], "x": [[1e3]], "x": {"x": [[4]]}}"#,
  ]

  /// Without the numbers, what they are in is the same.
  @Test("Lists that come empty are good and bad as others, and leave the rest", arguments: lists)
  func emptiedLists(text: String) {
    let bytes = Array(text.utf8)
    let kept: [UInt32] = [JE_KEY.rawValue, JE_STRING.rawValue, JE_END_OBJECT.rawValue]
    func rest(_ reading: Reading) -> [Event] { reading.events.filter { kept.contains($0.kind) } }
    let whole = read(bytes, step: bytes.count)
    let emptied = read(bytes, step: bytes.count, emptying: "\"x\"")
    #expect(whole.isGood && emptied.isGood)
    #expect(rest(emptied) == rest(whole))
    #expect(emptied.events.count < whole.events.count)
    for variant in Self.variants(of: bytes, with: [UInt8]("0-.,[]{}\"\\e x\u{1}".utf8)) {
      let whole = read(variant, step: variant.count + 1)
      for step in [7, variant.count + 1] {
        let emptied = read(variant, step: step, emptying: "\"x\"")
        let shown = String(decoding: variant, as: UTF8.self)
        #expect(emptied.isGood == whole.isGood, "\(shown)")
        if whole.isGood { #expect(rest(emptied) == rest(whole), "\(shown)") }
      }
    }
  }

  @Test("A text without an end is given up, not collected")
  func endlessText() {
    let parser = je_create({ _, _, _, _ in 1 }, nil)
    defer { je_free(parser) }
    var bytes = [CChar](repeating: 0x61, count: 1 << 20)
    bytes[0] = 0x22
    var filled = bytes.count
    var fed = 0
    var taken = 0
    while fed < 100, taken >= 0 {
      taken = je_parse(parser, &bytes, filled, 0)
      if taken > 0 { bytes = [CChar](repeating: 0x61, count: 1 << 20) }
      if taken == 0 { bytes += [CChar](repeating: 0x61, count: 1 << 23) }
      filled = bytes.count
      fed += 1
    }
    #expect(taken == -1 && fed < 100)
    #expect(je_problem(parser).map { String(cString: $0) } == "a value longer than 64 MiB")
  }
}
