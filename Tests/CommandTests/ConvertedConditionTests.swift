import Foundation
import Shards
import TestSupport
import Testing
import Training

/// Transformers with the published keys and a condition are converted and drawn from; the
/// condition's tokens and all codes are those that `Tests/Fixtures/conditions/make.py` computed
/// with PyTorch.
@Suite("Converted transformers with conditions")
struct ConvertedConditionTests {
  private struct Drawn: Decodable {
    let condition: [Int32]
    let codes: [Int32]
  }

  private let folder: TemporaryFolder
  private let environment = ["F": Fixture.path("conditions")]

  init() throws { folder = try TemporaryFolder() }

  private func expected(_ name: String) throws -> [Drawn] {
    let all = try JSONDecoder().decode(
      [String: [Drawn]].self, from: try Fixture.data("conditions/expected.json"))
    return try #require(all[name])
  }

  /// A project file beside nothing: its path is given.
  private func project(_ condition: String, data: String) throws {
    let text = """
      model:
        target: taming.models.cond_transformer.Net2NetTransformer
        params:
          transformer_config: {params: {n_head: 2}}
          cond_stage_config: \(condition)
      data:
        params:
          validation:
            \(data)
      """
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder("project.yaml")))
  }

  private func draw(_ script: String, like name: String) throws {
    let outcome = try shell("set -e\n" + script, in: folder, environment: environment)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let drawn = try CodeShardReader(folder("drawn.h5"))
    let expected = try expected(name)
    #expect(drawn.count == expected.count)
    for (row, wanted) in expected.enumerated() {
      #expect(try drawn.codes(row) == wanted.codes, "\(name), row \(row)")
    }
  }

  private func condition() throws -> GPTCondition {
    try #require(
      try RunFolder.decode(GPTDescription.self, from: folder("G/model.json")).condition)
  }

  private static let sizes = "params: {size: 8}"

  @Test func classLabels() throws {
    try project(
      "{target: taming.modules.util.Labelator, params: {n_classes: 10}}", data: Self.sizes)
    try draw(
      """
      convert-checkpoint $F/conditions.ckpt --project project.yaml --out G --quiet
      sample-gpt --gpt G --label 3,7 --greedy --codes-out drawn.h5 --out P --quiet
      """, like: "labels")
    #expect(try condition().kind == .label(LabelCondition(vocabulary: 10, column: "label")))
    let labels = try CodeShardReader(folder("drawn.h5")).contents.labels("label")
    #expect(labels == .int32([3, 7]))
    let wrong = try shell("sample-gpt --gpt G --label 10 --out X", in: folder)
    #expect(wrong.status == 64 && wrong.errors.contains("expected 0 to 9"), "\(wrong.errors)")
  }

  @Test func coordinates() throws {
    try project(
      "{target: taming.modules.misc.coord.CoordStage, params: {n_embed: 256, down_factor: 2}}",
      data: Self.sizes)
    try draw(
      """
      convert-checkpoint $F/conditions.ckpt --project project.yaml --out G --quiet
      sample-gpt --gpt G --count 1 --greedy --codes-out drawn.h5 --out P --quiet
      """, like: "coordinates")
    let condition = try condition()
    #expect(condition.title == "coordinates" && condition.grid?.count == 16)
  }

  /// Three objects of an image of 8×8 pixels, as in make.py.
  private func writeObjects() throws {
    let description = try RunFolder.decode(GPTDescription.self, from: folder("G/model.json"))
    let writer = try CodeShardWriter(
      folder("objects.h5"),
      header: CodeShardHeader(
        grid: CodeGrid(
          height: 4, width: 4, codebookSize: 64, fingerprint: description.codes.fingerprint),
        sourceShards: [], source: "test", split: "train", toolVersion: "test", downsampling: 2))
    writer.append((0..<16).map { Int32($0) }, id: 1, name: "1")
    let objects: [(Float, Float, Float, Float, Int32, Bool)] = [
      (0, 0, 4, 3, 1, false), (2.5, 1, 5, 6.5, 13, true), (6, 6, 2, 2, 10, false),
    ]
    writer.setLists(
      captions: nil,
      objects: [
        objects.enumerated().map { id, object in
          ShardObject(
            id: Int64(id), category: object.4, x: object.0, y: object.1, width: object.2,
            height: object.3, visible: 1, isCrowd: object.5)
        }
      ],
      categories: [(1, "person"), (10, "traffic light"), (13, "stop sign")].map {
        ShardCategory(id: $0.0, name: $0.1, supercategory: "")
      })
    try writer.finish()
  }

  @Test(arguments: [("boxes", "objects_bbox"), ("points", "objects_center_points")])
  func objects(kind: String, key: String) throws {
    try project(
      "{target: taming.models.dummy_cond_stage.DummyCondStage, params: {conditional_key: \(key)}}",
      data: """
        target: taming.data.annotated_objects_coco.AnnotatedObjectsCoco
              params: {target_image_size: 8, max_objects_per_image: 30, use_stuff: false}
        """)
    let converted = try shell(
      "convert-checkpoint $F/conditions.ckpt --project project.yaml --out G --quiet", in: folder,
      environment: environment)
    #expect(converted.status == 0, "\(converted.errors)")
    try writeObjects()
    try draw(
      "sample-gpt --gpt G --from-codes objects.h5 --greedy --codes-out drawn.h5 --out P --quiet",
      like: kind)
    guard case .objects(let objects) = try condition().kind else {
      Issue.record("no objects")
      return
    }
    #expect(objects.objects == 30)
    #expect(objects.categories?.count == 80)
    #expect(objects.categories?.prefix(4) == [1, 10, 11, 13])
    let tokens = try expected(kind)[0].condition
    #expect(try condition().length == tokens.count)
    if kind == "boxes" {
      #expect(objects.sceneTokens.tokens(objects.sceneTokens.scene(tokens)) == tokens)
    }
    #expect(FileManager.default.fileExists(atPath: folder("P/objects.png")))
  }

  /// Without a data section of COCO's objects nobody knows which class a token is.
  @Test func objectsOfUnknownCategories() throws {
    try project(
      "{target: taming.models.dummy_cond_stage.DummyCondStage, "
        + "params: {conditional_key: objects_bbox}}",
      data: Self.sizes)
    let converted = try shell(
      "convert-checkpoint $F/conditions.ckpt --project project.yaml --out G --quiet", in: folder,
      environment: environment)
    #expect(converted.status == 0, "\(converted.errors)")
    try writeObjects()
    let outcome = try shell("sample-gpt --gpt G --from-codes objects.h5 --out P", in: folder)
    #expect(outcome.status == 65)
    #expect(outcome.errors.contains("categories are not known"), "\(outcome.errors)")
  }

  /// The order is in the file: the permuter's buffers, integers of 64 bits.
  @Test(arguments: ["z-curve", "random"])
  func storedOrders(order: String) throws {
    try draw(
      """
      convert-checkpoint $F/conditions.ckpt --heads 2 --extract first-stage --out V --quiet
      convert-checkpoint $F/order-\(order).ckpt --heads 2 --vqgan V --grid 4x4 --out G --quiet
      sample-gpt --gpt G --count 1 --greedy --codes-out drawn.h5 --out P --quiet
      """, like: "order-\(order)")
    let description = try RunFolder.decode(GPTDescription.self, from: folder("G/model.json"))
    #expect(description.order?.rawValue == order)
    #expect(description.condition == nil)
  }
}
