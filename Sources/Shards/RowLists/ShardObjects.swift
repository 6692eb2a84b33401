// Objects in images: any number of boxes with a category a row.

/// One object of an image.
package struct ShardObject: Equatable, Sendable {
  /// The number of its annotation; -1 where it has none.
  package var id: Int64
  /// The number of its category, see `ShardCategory`.
  package var category: Int32
  /// Left and top edge in pixels of the stored image, inside it.
  package var x, y: Float
  /// Size in pixels of the stored image, inside it.
  package var width, height: Float
  /// The fraction of the object's box that the stored image shows, above 0 and at most 1.
  package var visible: Float
  /// Whether the box holds a crowd of such objects.
  package var isCrowd: Bool

  package init(
    id: Int64, category: Int32, x: Float, y: Float, width: Float, height: Float, visible: Float,
    isCrowd: Bool
  ) {
    self.id = id
    self.category = category
    self.x = x
    self.y = y
    self.width = width
    self.height = height
    self.visible = visible
    self.isCrowd = isCrowd
  }
}

/// The group `/objects`: one column a property over all objects, and where each row's objects
/// begin.
enum ShardObjects {
  private static func name(_ property: String) -> String {
    "\(ShardFormat.Group.objects)/\(property)"
  }

  /// - Parameter rows: the objects of every row.
  static func write(_ rows: [[ShardObject]], to file: HDF5OutputFile) throws(ShardError) {
    let all = Array(rows.joined())
    try file.createGroup(ShardFormat.Group.objects)
    try file.write(.int64(all.map(\.id)), named: name("id"))
    try file.write(.int32(all.map(\.category)), named: name("category"))
    try file.write(
      .float32(all.flatMap { [$0.x, $0.y, $0.width, $0.height] }), named: name("box"),
      shape: [all.count, 4], hasChecksum: true)
    try file.write(.float32(all.map(\.visible)), named: name("visible"))
    try file.write(.bool(all.map(\.isCrowd)), named: name("is_crowd"))
    try file.write(RowStarts(lengths: rows.map(\.count)).column, named: name("row_offsets"))
  }

  /// The objects of every row.
  ///
  /// - Throws: `missingItem`, `malformed`, `unreadable`.
  static func read(of file: HDF5InputFile, rows: Int) throws(ShardError) -> [[ShardObject]] {
    guard case .int64(let ids) = try file.dataset(name("id")).values(of: .int64) else {
      preconditionFailure("values of int64 are int64")
    }
    func column(_ property: String, _ type: ShardColumnType, perObject: Int = 1)
      throws(ShardError) -> ShardColumn
    {
      let column = try file.dataset(name(property)).values(of: type)
      guard column.count == ids.count * perObject else {
        throw .malformed(
          path: file.path, item: "/\(name(property))", found: "\(column.count) values",
          expected: "\(perObject) for each of \(ids.count) objects")
      }
      return column
    }
    guard case .int32(let categories) = try column("category", .int32),
      case .float32(let boxes) = try column("box", .float32, perObject: 4),
      case .float32(let visible) = try column("visible", .float32),
      case .bool(let crowds) = try column("is_crowd", .bool)
    else { preconditionFailure("columns have the type that was asked for") }
    let starts = try RowStarts(
      reading: name("row_offsets"), of: file, parts: rows, total: ids.count)
    return (0..<rows).map { row in
      starts[row].map { object in
        ShardObject(
          id: ids[object], category: categories[object], x: boxes[object * 4],
          y: boxes[object * 4 + 1], width: boxes[object * 4 + 2], height: boxes[object * 4 + 3],
          visible: visible[object], isCrowd: crowds[object])
      }
    }
  }
}
