// Annotation files as other tools write them.

import Corpora
import Foundation
import TestSupport
import Testing

@Suite("COCO files of other exporters")
struct ExporterTests {
  @Test("A text that is an integer is one, whatever number it stands for")
  func numbersAsTexts() throws {
    let folder = try TemporaryFolder()
    let images = """
      {"id": "9", "file_name": "a.jpg", "width": "6", "height": "5"},
      {"id": "000000000025", "file_name": "b.jpg", "width": 4, "height": "3"}
      """
    let objects = try objects(
      instancesText(
        images: images, categories: "{\"id\": \"1\", \"name\": \"person\"}",
        annotations: [
          annotationText([
            "id": "\"71\"", "image_id": "\"9\"", "category_id": "\"1\"", "iscrowd": "\"1\"",
          ]),
          annotationText(["id": "\"072\"", "image_id": "\"25\""]),
        ]
      ).utf8, in: folder)
    #expect(objects.images.map(\.id) == [9, 25] && objects.images.map(\.height) == [5, 3])
    #expect(objects.annotations(of: 9).map(\.id) == [71] && objects.annotations(of: 9)[0].isCrowd)
    #expect(objects.annotations(of: 25).map(\.id) == [72])
    #expect(objects.faults.count == 0)
    let captions = try captions(
      captionsText(["{\"id\": \"1\", \"image_id\": \"9\", \"caption\": \"1\"}"]).utf8, in: folder)
    #expect(captions.captions(of: 9) == [COCOCaption(id: 1, text: "1")])
  }

  @Test(
    "Texts that are no integers stay wrong", arguments: ["", "-", "9 ", "9.0", "0x9", "nine", "９"])
  func otherTexts(text: String) throws {
    let folder = try TemporaryFolder()
    let objects = try objects(
      instancesText(annotations: [annotationText(["image_id": "\"\(text)\""])]).utf8, in: folder)
    #expect(objects.annotations(of: 9).isEmpty && objects.faults.counts == ["wrong-value": 1])
  }

  @Test(
    "Images need no size; a size that is wrong stays wrong",
    arguments: [
      "", ", \"width\": null, \"height\": null", ", \"width\": 6", ", \"height\": 5",
      ", \"width\": 0, \"height\": 0", ", \"height\": \"0\", \"width\": 0.0",
    ])
  func noSizes(size: String) throws {
    let folder = try TemporaryFolder()
    let images =
      "{\"id\": 9, \"file_name\": \"a.jpg\"\(size)}, "
      + "{\"id\": 8, \"file_name\": \"b\", \"width\": 0}"
    let objects = try objects(
      instancesText(images: images, annotations: [annotationText()]).utf8, in: folder)
    #expect(
      objects.images == [COCOImage(id: 9, fileName: "a.jpg", width: nil, height: nil)])
    #expect(objects.annotations(of: 9).count == 1)
    #expect(objects.faults.count == 1)
  }

  @Test(
    "Annotations need no number",
    arguments: [
      nil, "null", "\"7x\"", "\"5f3b1c9e-7a\"", "-70", "70.5", "12345678901234567890", "[70]", "{}",
      "true",
    ])
  func annotationsWithoutNumbers(id: String?) throws {
    let folder = try TemporaryFolder()
    let strict = COCOReading(isStrict: true)
    let objects = try objects(
      instancesText(annotations: [
        annotationText(["id": id]), annotationText(), annotationText(["id": id, "area": "2"]),
      ]).utf8, in: folder, reading: strict)
    #expect(objects.annotations(of: 9).map(\.id) == [-1, 71, -1])
    #expect(objects.faults.count == 0 && objects.faults.repeatedIDs == 0)
    let number = id.map { "\"id\": \($0), " } ?? ""
    let captions = try captions(
      captionsText(["{\(number)\"image_id\": 9, \"caption\": \"a\"}"]).utf8, in: folder,
      reading: strict)
    #expect(captions.captions(of: 9) == [COCOCaption(id: -1, text: "a")])
    // What else is wrong is told without it.
    let broken = try CorporaTests.objects(
      instancesText(annotations: [annotationText(["id": id, "bbox": nil])]).utf8, in: folder
    ).faults.listed.first
    #expect(broken?.id == nil && broken?.reason == .missing(field: "bbox"))
  }

  @Test("Annotations numbered anew for each image are all kept, and counted")
  func repeatedNumbers() throws {
    let folder = try TemporaryFolder()
    let rows = [9, 25].flatMap { image in
      (1...3).map { annotationText(["id": "\($0)", "image_id": "\(image)"]) }
    }
    let objects = try objects(instancesText(annotations: rows).utf8, in: folder)
    #expect(objects.annotations(of: 9).map(\.id) == [1, 2, 3])
    #expect(objects.annotations(of: 25).map(\.id) == [1, 2, 3])
    #expect(objects.faults.repeatedIDs == 3 && objects.faults.count == 0)
    // Also within one image, and of captions.
    let same = (0..<5).map { "{\"id\": 0, \"image_id\": 9, \"caption\": \"\($0)\"}" }
    let captions = try captions(captionsText(same).utf8, in: folder)
    #expect(captions.captions(of: 9).map(\.text) == ["0", "1", "2", "3", "4"])
    #expect(captions.faults.repeatedIDs == 4 && captions.faults.count == 0)
    // Strictly read, it is no mistake either.
    _ = try COCOCaptions(path: captions.path, reading: COCOReading(isStrict: true))
  }

  @Test("Images and categories that are listed twice alike are listed once")
  func listedTwice() throws {
    let folder = try TemporaryFolder()
    let objects = try objects(
      instancesText(
        images: someImages + "," + someImages, categories: someCategories + "," + someCategories,
        annotations: [annotationText()]
      ).utf8, in: folder)
    #expect(objects.images.count == 2 && objects.categories.count == 2)
    #expect(objects.faults.count == 0 && objects.annotations(of: 9).count == 1)
  }

  @Test("The good parts of an outline are painted, the first bad one is told")
  func parts() throws {
    let folder = try TemporaryFolder()
    let good = "[10, 10, 50, 10, 50, 40, 10, 40]"
    let bad = [
      ("[20, 20, 20, 23]", "part 1 of the segmentation has 4 numbers"),
      ("[20, 20, 20, 23, 25, 23, 7]", "part 1 of the segmentation has 7 numbers"),
      ("[]", "part 1 of the segmentation has 0 numbers"),
      ("[1, 2, NaN, 3, 4, 5]", "part 1 of the segmentation holds NaN"),
      ("[1, 2, -Infinity, 3, 4, 5]", "part 1 of the segmentation holds -Infinity"),
      ("[1, 2, \"3\", 3, 4, 5]", "part 1 of the segmentation holds \"3\""),
      ("[1, 2, 1e9, 3, [7], 5]", "part 1 of the segmentation holds 1e9"),
    ]
    let rows = bad.enumerated().map { index, part in
      annotationText(["id": "\(index)", "segmentation": "[\(good), \(part.0)]"])
    }
    let three = annotationText(["id": "50", "segmentation": "[[1], \(good), [2, 3], \(good)]"])
    let objects = try objects(instancesText(annotations: rows + [three]).utf8, in: folder)
    for annotation in objects.annotations(of: 9) {
      #expect(try objects.mask(of: annotation, width: 60, height: 50).area == 1200)
    }
    let painted = try COCOLabelMaps(things: objects, stuff: nil).labels(
      of: 9, width: 60, height: 50)
    #expect(painted.values.count { $0 == 1 } == 1200)
    #expect(painted.faults.count == bad.count + 1)
    for (fault, part) in zip(painted.faults, bad) {
      #expect(fault.description.contains(part.1), "\(fault)")
      #expect(fault.description.hasSuffix("; that part is not painted"), "\(fault)")
    }
    #expect(painted.faults.last?.description.contains("part 0 of the segmentation has 1") == true)
    #expect(painted.faults.last?.description.hasSuffix("; 2 parts are not painted") == true)
  }

  @Test("NaN and Infinity cost their record, or nothing where nobody reads the field")
  func notFinite() throws {
    let folder = try TemporaryFolder()
    let words = ["NaN", "Infinity", "-Infinity"]
    let rows = words.flatMap { word in
      [
        annotationText(["id": "1", "score": word, "attributes": "{\"x\": [\(word), [\(word)]]}"]),
        annotationText(["id": "2", "area": word]),
        annotationText(["id": "3", "bbox": "[1, \(word), 2, 2]"]),
        annotationText(["id": "4", "image_id": word]),
      ]
    }
    let text = instancesText(annotations: rows)
      .replacing("\"year\": 2017", with: "\"year\": NaN, \"version\": -Infinity")
    let objects = try objects(text.utf8, in: folder)
    #expect(objects.annotations(of: 9).map(\.id) == [1, 1, 1])
    #expect(objects.faults.counts == ["wrong-value": 9])
    let messages = objects.faults.listed.map(\.description)
    for (index, word) in words.enumerated() {
      #expect(
        messages[index * 3].hasSuffix(
          "annotation 2 of image 9: area is \(word), expected a finite number"))
      #expect(messages[index * 3 + 1].contains("bbox is \(word)"))
      #expect(messages[index * 3 + 2].contains("image_id is \(word)"))
    }
  }

  @Test(
    "Other words and cut ones are no JSON",
    arguments: ["nan", "NAN", "Na", "inf", "Inf", "+Infinity", "-NaN", "- Infinity", "Infinity1"])
  func otherWords(word: String) throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: COCOError.self) {
      try objects(
        instancesText(annotations: [annotationText(["score": word])]).utf8, in: folder)
    }
    guard case .notJSON = error else {
      Issue.record("\(word): \(String(describing: error))")
      return
    }
  }
}
