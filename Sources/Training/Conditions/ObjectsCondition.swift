// Objects as conditions.
import Models
import Shards

/// Objects by the corners of their boxes, or by their middles.
package struct ObjectsCondition: ConditionPayload {
  package let form: SceneTokens.Form
  package let vocabulary: Int
  /// Objects of an image, at most.
  package var objects: Int
  /// The numbers of the categories, in the order of their tokens; nil where an external file does
  /// not tell.
  package let categories: [Int]?

  enum CodingKeys: String, CodingKey {
    case form = "kind"
    case vocabulary, objects, categories
  }

  var name: GPTCondition.Name {
    switch form {
    case .boxes: .boxes
    case .points: .points
    }
  }

  var title: String {
    switch form {
    case .boxes: "boxes of objects"
    case .points: "centre points of objects"
    }
  }

  var length: Int { sceneTokens.length }

  var problem: String? {
    (1...10_000).contains(objects)
      ? nil : "condition.objects is \(objects), expected 1...10000"
  }

  /// How scenes become tokens; where no categories are known there are no scenes either.
  package var sceneTokens: SceneTokens {
    SceneTokens(
      form: form, vocabulary: vocabulary, classes: max(categories?.count ?? 1, 1),
      objects: objects)
  }

  func reader(of shards: CodeShardSet) throws -> (_ row: Int) throws -> ConditionInput {
    guard let categories else { throw ConditionError.noCategories(path: shards.paths[0]) }
    let scenes = try ImageFrames(shards).scenes(shards, categories: categories)
    return { .scene(scenes[$0]) }
  }
}

extension ObjectsCondition {
  /// The categories that shards have.
  ///
  /// - Throws: `ConditionError.noObjects`, `ShardError`.
  package init(_ form: SceneTokens.Form, objects: Int, of shards: CodeShardSet) throws {
    let categories = try shards.categories.map { Int($0.id) }
    guard !categories.isEmpty else { throw ConditionError.noObjects(path: shards.paths[0]) }
    self.init(form: form, vocabulary: 8192, objects: objects, categories: categories)
  }
}
