// Why shards or inputs do not hold the condition that a GPT wants.

/// Why shards or inputs do not hold the condition that a GPT wants.
package enum ConditionError: Error, Equatable {
  case noColumn(path: String, column: String, known: [String])
  case notWhole(path: String, column: String)
  case label(path: String, column: String, row: Int, found: Int, classes: Int)
  /// 0 is a category in the first shard and stands for no objects in the other.
  case categoryZero(path: String, other: String)
  case noCodes(path: String)
  case noObjects(path: String)
  /// A converted transformer of which no project file told what its objects are.
  case noCategories(path: String)
  /// A command was given a condition that the GPT does not take, or none that it needs.
  case unfit(path: String, wanted: String, found: String)
  /// The GPT never saw an image without its condition.
  case noGuidance(path: String)
  case size(path: String, problem: String)
}

extension ConditionError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .noColumn(let path, let column, let known):
      "\(path): no column \(column); there are \(known.joined(separator: ", "))"
    case .notWhole(let path, let column): "\(path): /\(column) holds no integers"
    case .label(let path, let column, let row, let found, let classes):
      "\(path): /\(column)[\(row)] is \(found), the model knows 0 to \(classes - 1)"
    case .categoryZero(let path, let other):
      "\(path): /category is of a list with a category 0, that of \(other) has 0 for an image "
        + "without objects; make both with one list, or in one run of prep-coco --split both"
    case .noCodes(let path):
      "\(path): no codes of conditions; write them with encode-dataset --condition-vqgan"
    case .noObjects(let path): "\(path): no categories of objects; prep-coco --objects keeps them"
    case .noCategories(let path):
      "\(path): holds objects, but the transformer's categories are not known; convert it with the project file "
        + "whose data section is of COCO's objects, or write condition.categories into its model.json"
    case .unfit(let path, let wanted, let found):
      "\(path): a transformer conditioned by \(wanted), but \(found)"
    case .noGuidance(let path):
      "\(path): was trained without --condition-dropout; --guidance needs it"
    case .size(let path, let problem): "\(path): \(problem)"
    }
  }
}
