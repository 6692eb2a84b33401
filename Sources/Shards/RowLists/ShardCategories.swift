// What the numbers of objects and of label maps mean.

/// The meaning of one number in `/objects/category` and `/segmentation`.
package struct ShardCategory: Equatable, Sendable {
  package var id: Int32
  package var name: String
  /// The name of the group of categories that it belongs to; may be empty.
  package var supercategory: String

  package init(id: Int32, name: String, supercategory: String) {
    self.id = id
    self.name = name
    self.supercategory = supercategory
  }
}

/// The group `/categories`: one entry a category, whatever the rows.
enum ShardCategories {
  private static let id = "\(ShardFormat.Group.categories)/id"
  private static let name = "\(ShardFormat.Group.categories)/name"
  private static let supercategory = "\(ShardFormat.Group.categories)/supercategory"

  static func write(_ categories: [ShardCategory], to file: HDF5OutputFile) throws(ShardError) {
    try file.createGroup(ShardFormat.Group.categories)
    try file.write(.int32(categories.map(\.id)), named: id)
    try file.write(.string(categories.map(\.name)), named: name)
    try file.write(.string(categories.map(\.supercategory)), named: supercategory)
  }

  /// - Throws: `missingItem`, `malformed`, `unreadable`.
  static func read(of file: HDF5InputFile) throws(ShardError) -> [ShardCategory] {
    guard case .int32(let ids) = try file.dataset(id).values(of: .int32),
      case .string(let names) = try file.dataset(name).values(of: .string),
      case .string(let groups) = try file.dataset(supercategory).values(of: .string)
    else { preconditionFailure("columns have the type that was asked for") }
    guard names.count == ids.count, groups.count == ids.count else {
      throw .malformed(
        path: file.path, item: "/\(ShardFormat.Group.categories)",
        found: "\(ids.count) numbers, \(names.count) names, \(groups.count) supercategories",
        expected: "equally many")
    }
    return ids.indices.map {
      ShardCategory(id: ids[$0], name: names[$0], supercategory: groups[$0])
    }
  }
}
