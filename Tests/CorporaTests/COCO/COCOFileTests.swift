import Corpora
import DurableFiles
import Foundation
import TestSupport
import Testing

/// The error that reading `bytes` as an instances file gives.
private func error(_ bytes: some Sequence<UInt8>) throws -> COCOError {
  let folder = try TemporaryFolder()
  return try #require(throws: COCOError.self) { try objects(bytes, in: folder) }
}

@Suite("COCO annotation files (A1)")
struct COCOFileTests {
  private let whole = instancesText(annotations: [annotationText()])

  @Test("A whole file is read, with and without a byte order mark and in any layout")
  func reads() throws {
    let folder = try TemporaryFolder()
    let oneLine = whole.split(separator: "\n").joined()
    let spread = whole.split(separator: ",", omittingEmptySubsequences: false)
      .joined(separator: "\r\n\t ,")
    for text in [whole, "\u{FEFF}" + whole, oneLine, spread, "\n \(whole) \n"] {
      let objects = try objects(text.utf8, in: folder)
      #expect(objects.images.map(\.id) == [9, 25])
      #expect(objects.image(25)?.fileName == "000000000025.jpg")
      #expect(objects.image(25)?.width == 4 && objects.image(25)?.height == 3)
      #expect(objects.image(10) == nil)
      #expect(
        objects.categories == [
          COCOCategory(id: 1, name: "person", supercategory: "person"),
          COCOCategory(id: 2, name: "bicycle", supercategory: ""),
        ])
      let annotation = try #require(objects.annotations(of: 9).first)
      #expect(annotation.id == 71 && annotation.categoryID == 1 && !annotation.isCrowd)
      #expect(annotation.area == 4 && annotation.box == COCOBox(x: 1, y: 1, width: 2, height: 2))
      #expect(try objects.mask(of: annotation, width: 6, height: 5).area == 4)
      #expect(objects.annotations(of: 25).isEmpty)
      #expect(objects.faults.count == 0)
    }
  }

  @Test("A file of 10 KB cut at every hundredth is refused, and the position named")
  func truncated() throws {
    let annotations = (0..<70).map { annotationText(["id": "\($0)"]) }
    let bytes = Array(instancesText(annotations: annotations).utf8)
    #expect(bytes.count > 8000)
    for percent in 1..<100 {
      let end = bytes.count * percent / 100
      let error = try error(bytes[..<end])
      guard case .notJSON(_, let byte, _) = error else {
        Issue.record("\(percent) %: \(error)")
        continue
      }
      #expect(byte <= end)
    }
  }

  @Test(
    "What is no JSON is refused",
    arguments: [
      "", " ", "{", "{]", "nul", "{\"images\": [], \"annotations\": []} {}",
      "{\"a\": 01}", "{\"a\": \"\t\"}",
      "{\"a\": \"\\x\"}", "{\"a\" 1}", "{\"a\": 1,}", "{\"a\": [1,]}", "<html>", "PK\u{3}\u{4}",
      "{'images': []}",
    ])
  func notJSON(text: String) throws {
    let error = try error(text.utf8)
    guard case .notJSON = error else {
      Issue.record("\(error)")
      return
    }
  }

  @Test(
    "JSON that is no annotation file is refused and says what was expected",
    arguments: [
      ("[]", "a list, expected {\"images\": …, \"annotations\": …}"),
      ("\"text\"", "a text, expected {\"images\": …, \"annotations\": …}"),
      ("{\"images\": {}}", "\"images\" is an object, expected a list of records"),
      ("{\"images\": NaN}", "\"images\" is a number, expected a list of records"),
      ("{\"annotations\": null}", "\"annotations\" is null, expected a list of records"),
      ("{}", "no \"images\"; expected one of COCO's instances, stuff or captions files"),
      (
        "{\"annotations\": []}",
        "no \"images\"; expected one of COCO's instances, stuff or captions files"
      ),
      (
        "{\"images\": []}",
        "no \"annotations\"; expected one of COCO's instances, stuff or captions files"
      ),
      ("{\"images\": [], \"images\": []}", "\"images\" is there twice"),
    ])
  func wrongShape(text: String, message: String) throws {
    let error = try error(text.utf8)
    #expect(error.description.hasSuffix(message), "\(error)")
  }

  @Test("UTF-16 is named, with and without its mark")
  func utf16() throws {
    for mark in ["\u{FEFF}", ""] {
      for bigEndian in [true, false] {
        let bytes = (mark + whole).utf16.flatMap { unit in
          bigEndian
            ? [UInt8(unit >> 8), UInt8(unit & 255)] : [UInt8(unit & 255), UInt8(unit >> 8)]
        }
        let error = try error(bytes)
        #expect(error.description.contains("UTF-16"), "\(error)")
      }
    }
  }

  @Test(
    "Bytes that are not UTF-8 are refused at their position",
    arguments: [
      [0xFF], [0xC0, 0x80], [0xC3], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
      [0x80],
    ] as [[UInt8]])
  func notUTF8(bytes: [UInt8]) throws {
    let before = Array("{\"images\": [], \"annotations\": [{\"caption\": \"é".utf8)
    let error = try error(before + bytes + Array("x\"}]}".utf8))
    guard case .notJSON(_, let byte, let found) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(byte == before.count && found == "bytes that are not UTF-8")
  }

  @Test("Halves of surrogate pairs become U+FFFD and are counted, pairs stay pairs")
  func surrogates() throws {
    let folder = try TemporaryFolder()
    let texts = [
      ("a\\ud83d\\ude00b", "a😀b"), ("\\ud800", "\u{FFFD}"), ("\\udc00x", "\u{FFFD}x"),
      ("\\ud800\\ud83d\\ude00", "\u{FFFD}😀"), ("\\ud800\\u0041", "\u{FFFD}A"),
      ("\\\\ud800", "\\ud800"), ("\\ud800\\\\udc00", "\u{FFFD}\\udc00"),
      ("\\ud800\\n", "\u{FFFD}\n"),
    ]
    let rows = texts.enumerated().map { index, text in
      "{\"id\": \(index), \"image_id\": 9, \"caption\": \"\(text.0)\"}"
    }
    let captions = try captions(captionsText(rows).utf8, in: folder)
    #expect(captions.captions(of: 9).map(\.text) == texts.map(\.1))
    #expect(captions.faults.mendedEscapes == 6)
    #expect(captions.faults.count == 0)
  }

  @Test("Deep nesting is refused, not followed")
  func nesting() throws {
    for text in [
      String(repeating: "[", count: 100_000),
      "{\"info\": " + String(repeating: "[", count: 100_000),
      String(repeating: "{\"a\":", count: 100_000),
    ] {
      let error = try error(text.utf8)
      #expect(!error.description.isEmpty)
    }
    let error = try error(("{\"info\": " + String(repeating: "[", count: 100)).utf8)
    #expect(error.description.contains("byte 73: nested more than 64 levels deep"), "\(error)")
  }

  @Test("A file of many windows gives the records of a small one")
  func manyWindows() throws {
    let folder = try TemporaryFolder()
    let blank = String(repeating: " ", count: 997)
    let annotations = (0..<5000).map { annotationText(["id": "\($0)", "area": "\(blank)\($0).5"]) }
    var calls: [Int] = []
    let text = instancesText(annotations: annotations)
    let objects = try objects(
      text.utf8, in: folder,
      reading: COCOReading { bytes, size in
        #expect(size == text.utf8.count)
        calls.append(bytes)
      })
    #expect(calls.count > 4 && calls == calls.sorted() && calls.last == text.utf8.count)
    let found = objects.annotations(of: 9)
    #expect(found.map(\.id) == Array(0..<5000))
    #expect(found.map(\.area) == (0..<5000).map { Double($0) + 0.5 })
    for annotation in found.indices.filter({ $0 % 97 == 0 }).map({ found[$0] }) {
      #expect(try objects.mask(of: annotation, width: 6, height: 5).area == 4)
    }
  }

  @Test("What progress throws ends the reading")
  func stopped() throws {
    struct Stop: Error {}
    let folder = try TemporaryFolder()
    #expect(throws: Stop.self) {
      try objects(whole.utf8, in: folder, reading: COCOReading { _, _ in throw Stop() })
    }
  }

  @Test("Folders, pipes and missing files are refused at once")
  func noFile() throws {
    let folder = try TemporaryFolder()
    #expect(mkfifo(folder("pipe.json"), 0o600) == 0)
    for path in [folder.path, folder("pipe.json"), folder("missing.json")] {
      let error = try #require(throws: DurableFileError.self) { try COCOObjects(path: path) }
      #expect(error.description.hasPrefix(path))
    }
  }

  @Test("A file that was cut or rewritten after it was read is noticed")
  func changed() throws {
    let folder = try TemporaryFolder()
    let objects = try objects(whole.utf8, in: folder)
    let annotation = try #require(objects.annotations(of: 9).first)
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: objects.path))
    try handle.write(contentsOf: Data(repeating: 0x20, count: whole.utf8.count))
    #expect(throws: COCOError.changed(path: objects.path)) {
      try objects.mask(of: annotation, width: 6, height: 5)
    }
    try handle.truncate(atOffset: 10)
    #expect(throws: COCOError.changed(path: objects.path)) {
      try objects.mask(of: annotation, width: 6, height: 5)
    }
  }
}
