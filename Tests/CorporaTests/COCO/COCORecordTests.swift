import Corpora
import Foundation
import TestSupport
import Testing

@Suite("COCO records (A2, A5, A6)")
struct COCORecordTests {
  @Test(
    "A broken annotation costs itself alone and says what is wrong",
    arguments: [
      (["image_id": nil], "annotation 70: no image_id"),
      (["category_id": nil], "annotation 70 of image 9: no category_id"),
      (["bbox": nil], "annotation 70 of image 9: no bbox"),
      (["image_id": "null"], "annotation 70: no image_id"),
      (
        ["image_id": "\"7x\""],
        "annotation 70: image_id is \"7x\", expected an integer of 0…9223372036854775807"
      ),
      (
        ["image_id": "-70"],
        "annotation 70 of image -70: image_id is -70, expected an integer of 0…9223372036854775807"
      ),
      (
        ["image_id": "70.5"],
        "annotation 70: image_id is 70.5, expected an integer of 0…9223372036854775807"
      ),
      (
        ["image_id": "12345678901234567890"],
        "annotation 70: image_id is 12345678901234567890, expected an integer of "
          + "0…9223372036854775807"
      ),
      (
        ["image_id": "[70]"],
        "annotation 70: image_id is a list, expected an integer of 0…9223372036854775807"
      ),
      (["image_id": "10"], "annotation 70 of image 10: the file lists no such image"),
      (["category_id": "7"], "annotation 70 of image 9: the file lists no category 7"),
      (["category_id": "-1"], "annotation 70 of image 9: category_id is -1, expected 0…65535"),
      (["iscrowd": "2"], "annotation 70 of image 9: iscrowd is 2, expected 0 or 1"),
      (["area": "1e400"], "annotation 70 of image 9: area is 1e400, expected a finite number"),
      (["area": "\"x\""], "annotation 70 of image 9: area is \"x\", expected a finite number"),
      (
        ["bbox": "[1, 2, 3]"],
        "annotation 70 of image 9: bbox is a list of 3, expected [x, y, width, height]"
      ),
      (
        ["bbox": "[1, 2, 3, 4, 5]"],
        "annotation 70 of image 9: bbox is a list of 5, expected [x, y, width, height]"
      ),
      (
        ["bbox": "[1, [2, 2], 3, 4]"],
        "annotation 70 of image 9: bbox is a list, expected [x, y, width, height]"
      ),
      (
        ["bbox": "{\"x\": 1}"],
        "annotation 70 of image 9: bbox is an object, expected [x, y, width, height]"
      ),
      (
        ["bbox": "[1, 2, -3, 4]"],
        "annotation 70 of image 9: bbox is [1.0, 2.0, -3.0, 4.0], expected [x, y, width, height] "
          + "of at most 1000000, sides from 0 on"
      ),
      (
        ["segmentation": "7"],
        "annotation 70 of image 9: segmentation is 7, expected a list or an object"
      ),
    ] as [([String: String?], String)])
  func brokenAnnotations(change: [String: String?], message: String) throws {
    let folder = try TemporaryFolder()
    let broken = annotationText(change.merging(["id": "70"]) { first, _ in first })
    let text = instancesText(annotations: [annotationText(), broken, annotationText(["id": "72"])])
    let objects = try objects(text.utf8, in: folder)
    #expect(objects.annotations(of: 9).map(\.id) == [71, 72])
    #expect(objects.faults.count == 1)
    let fault = try #require(objects.faults.listed.first)
    let position = try #require(text.range(of: broken))
    let byte = text.utf8.distance(from: text.startIndex, to: position.lowerBound)
    #expect(fault.description == "\(objects.path): byte \(byte): \(message)")
    #expect(objects.faults.counts == [fault.kind: 1])

    let error = try #require(throws: COCOError.self) {
      try COCOObjects(path: objects.path, reading: COCOReading(isStrict: true))
    }
    #expect(error == .badRecord(fault))
  }

  @Test("Keys that come twice in a record make it ambiguous, others may repeat")
  func repeatedKeys() throws {
    let folder = try TemporaryFolder()
    let text = instancesText(annotations: [
      "{\"id\": 1, " + annotationText().dropFirst(),
      "{\"note\": 1, \"note\": 2, " + annotationText(["id": "2"]).dropFirst(),
      "{\"segmentation\": [], " + annotationText(["id": "3"]).dropFirst(),
    ])
    let objects = try objects(text.utf8, in: folder)
    #expect(objects.annotations(of: 9).map(\.id) == [2])
    #expect(
      objects.faults.listed.map(\.reason) == [
        .repeated(field: "id"), .repeated(field: "segmentation"),
      ])
  }

  @Test("Numbers may be written 1.0 or 7e1, and go up to 2^63 - 1")
  func numbers() throws {
    let folder = try TemporaryFolder()
    let ids = ["1.0", "7e1", "9007199254740993", "9223372036854775807", "0"]
    let objects = try objects(
      instancesText(annotations: ids.map { annotationText(["id": $0, "image_id": "9.0"]) }).utf8,
      in: folder)
    #expect(
      objects.annotations(of: 9).map(\.id) == [1, 70, 9_007_199_254_740_993, Int64.max, 0])
  }

  /// Each was compared with all before it.
  @Test func manyCategoriesTakeTimeByTheirNumber() throws {
    let categories = (0..<100_000).map { "{\"id\": \($0 % 65_536), \"name\": \"c\"}" }
    let text = instancesText(categories: categories.joined(separator: ","), annotations: [])
    let objects = try objects(text.utf8, in: TemporaryFolder())
    #expect(objects.categories.count == 65_536)
  }

  @Test("Of images and categories that differ in all but their ids the first stays")
  func duplicates() throws {
    let folder = try TemporaryFolder()
    let image = { (id: Int, name: String) in
      "{\"id\": \(id), \"file_name\": \"\(name)\", \"width\": 6, \"height\": 5}"
    }
    let text = instancesText(
      images: [image(9, "a.jpg"), image(9, "b.jpg"), image(9, "a.jpg"), image(8, "a.jpg")]
        .joined(separator: ","),
      categories: "{\"id\": 1, \"name\": \"first\"}, {\"id\": 1, \"name\": \"second\"}",
      annotations: [
        annotationText(["id": "5", "area": "1"]), annotationText(["id": "4"]),
        annotationText(["id": "5", "area": "2"]), annotationText(["id": "5", "image_id": "8"]),
      ])
    let objects = try objects(text.utf8, in: folder)
    #expect(objects.images.map(\.fileName) == ["a.jpg", "a.jpg"])
    #expect(objects.categories.map(\.name) == ["first"])
    #expect(objects.annotations(of: 9).map(\.area) == [1, 4, 2])
    #expect(objects.annotations(of: 8).count == 1)
    #expect(objects.faults.counts == ["duplicate-id": 2])
    #expect(objects.faults.listed.map(\.section) == [.image, .category])
  }

  @Test(
    "A broken image is left out; its annotations go with it without a word",
    arguments: [
      (
        "{\"id\": 9, \"file_name\": \"a\", \"width\": 0, \"height\": 5}",
        "image 9: width is 0, expected 1…65500"
      ),
      (
        "{\"id\": 9, \"file_name\": \"a\", \"width\": 6, \"height\": 70000}",
        "image 9: height is 70000, expected 1…65500"
      ),
      ("{\"id\": 9, \"width\": 6, \"height\": 5}", "image 9: no file_name"),
      (
        "{\"id\": 9, \"file_name\": 7, \"width\": 6, \"height\": 5}",
        "image 9: file_name is 7, expected a text"
      ),
    ])
  func brokenImages(image: String, message: String) throws {
    let folder = try TemporaryFolder()
    let text = instancesText(
      images: image + ", {\"id\": 25, \"file_name\": \"b\", \"width\": 6, \"height\": 5}",
      annotations: [annotationText(), annotationText(["id": "72", "image_id": "25"])])
    let objects = try objects(text.utf8, in: folder)
    #expect(objects.images.map(\.id) == [25])
    #expect(objects.annotations(of: 25).map(\.id) == [72])
    #expect(objects.faults.count == 1)
    let fault = try #require(objects.faults.listed.first)
    #expect(fault.description.hasSuffix(message))
  }

  @Test("Records that are no objects are faults")
  func notObjects() throws {
    let folder = try TemporaryFolder()
    let text = instancesText(annotations: [
      "7", "null", "[[{}]]", "\"x\"", "true", annotationText(),
    ])
    let objects = try objects(text.utf8, in: folder)
    #expect(objects.annotations(of: 9).map(\.id) == [71])
    #expect(
      objects.faults.listed.map(\.reason)
        == ["7", "null", "a list", "\"x\"", "true"].map { .notAnObject(found: $0) })
  }

  @Test("Sections may come in any order")
  func order() throws {
    let folder = try TemporaryFolder()
    let text = """
      {"annotations": [\(annotationText()), \(annotationText(["id": "72", "category_id": "7"]))],
       "categories": [\(someCategories)], "images": [\(someImages)]}
      """
    let objects = try objects(text.utf8, in: folder)
    #expect(objects.annotations(of: 9).map(\.id) == [71])
    #expect(objects.faults.counts == ["unknown-category": 1])
  }

  @Test("A reading for some images lists all and keeps the annotations of those")
  func someImagesOnly() throws {
    let folder = try TemporaryFolder()
    let text = instancesText(annotations: [
      annotationText(), annotationText(["id": "72", "image_id": "25"]),
      annotationText(["id": "73", "image_id": "25", "area": "\"x\""]),
    ])
    let objects = try objects(text.utf8, in: folder, reading: COCOReading(images: [9]))
    #expect(objects.images.map(\.id) == [9, 25])
    #expect(objects.annotations(of: 25).isEmpty && objects.annotations(of: 9).count == 1)
    #expect(objects.faults.count == 0)
  }

  @Test("Only the first thousand faults are listed, all are counted")
  func manyFaults() throws {
    let folder = try TemporaryFolder()
    let text = instancesText(annotations: Array(repeating: "1", count: 2500))
    let objects = try objects(text.utf8, in: folder)
    #expect(objects.faults.count == 2500 && objects.faults.counts == ["not-an-object": 2500])
    #expect(objects.faults.listed.count == 1000)
  }

  @Test("Captions come out as they are written (A5)")
  func captionTexts() throws {
    let folder = try TemporaryFolder()
    let long = String(repeating: "A long sentence. ", count: 600)
    let texts = [
      ("", ""), (long, long), ("two\\nlines\\tand  blanks ", "two\nlines\tand  blanks "),
      ("🐈‍⬛ \\u00e9", "🐈‍⬛ é"), ("كلب يركض", "كلب يركض"), ("a\\u0000b", "a\u{0}b"), ("\\\"\\/", "\"/"),
    ]
    let rows = texts.enumerated().map { index, text in
      "{\"image_id\": 25, \"id\": \(100 - index), \"caption\": \"\(text.0)\"}"
    }
    let captions = try captions(
      captionsText(rows + ["{\"image_id\": 9, \"id\": 1, \"caption\": \"one\"}"]).utf8, in: folder)
    #expect(captions.captions(of: 25).map(\.text) == texts.map(\.1))
    #expect(captions.captions(of: 25).map(\.id) == texts.indices.map { Int64(100 - $0) })
    #expect(captions.captions(of: 9) == [COCOCaption(id: 1, text: "one")])
    #expect(captions.faults.count == 0)
    #expect(captions.captions(of: 1).isEmpty)
    #expect(captions.images.map(\.id) == [9, 25])
  }

  @Test(
    "Broken captions are left out",
    arguments: [
      ("{\"id\": 1, \"image_id\": 9}", "annotation 1 of image 9: no caption"),
      (
        "{\"id\": 1, \"image_id\": 9, \"caption\": 5}",
        "annotation 1 of image 9: caption is 5, expected a text"
      ),
      (
        "{\"id\": 1, \"image_id\": 7, \"caption\": \"\"}",
        "annotation 1 of image 7: the file lists no such image"
      ),
    ])
  func brokenCaptions(row: String, message: String) throws {
    let folder = try TemporaryFolder()
    let captions = try captions(
      captionsText(["{\"id\": 2, \"image_id\": 9, \"caption\": \"good\"}", row]).utf8, in: folder)
    #expect(captions.captions(of: 9).map(\.text) == ["good"])
    let fault = try #require(captions.faults.listed.first)
    #expect(captions.faults.count == 1 && fault.description.hasSuffix(message), "\(fault)")
  }

  @Test("File names are handed on unchecked, whatever they hold; 2014's are names like others (A6)")
  func fileNames() throws {
    let folder = try TemporaryFolder()
    let names = [
      ("COCO_train2014_000000000009.jpg", "COCO_train2014_000000000009.jpg"),
      ("../x.jpg", "../x.jpg"),
      ("", ""), ("a\\u0000b", "a\u{0}b"), ("a\\nb", "a\nb"), ("C:\\\\x", "C:\\x"),
    ]
    let images = names.enumerated().map { id, name in
      "{\"id\": \(id), \"file_name\": \"\(name.0)\", \"width\": 6, \"height\": 5}"
    }
    let objects = try objects(
      instancesText(images: images.joined(separator: ","), annotations: []).utf8, in: folder)
    #expect(objects.images.map(\.fileName) == names.map(\.1))
  }
}
