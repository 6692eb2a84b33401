/// The columns of a trajectory; a header line may name them in another order.
package enum AtariColumn: String, CaseIterable, Sendable {
  case frame, reward, score, terminal, action
}

/// Where each column stands in a row.
struct AtariColumnOrder {
  /// Position of each column, in the order of `AtariColumn.allCases`.
  private(set) var frame = 0, reward = 1, score = 2, terminal = 3, action = 4
  /// Fields a row needs.
  private(set) var needed = 5
  /// Fields that the header names.
  private(set) var named = 5

  /// The order of a file without a header: `frame,reward,score,terminal,action`.
  init() {}

  /// The order that a header line gives.
  ///
  /// - Throws: the first column that the header does not name.
  init(header fields: [TrajectoryField]) throws(MissingColumn) {
    let names = fields.map { $0.text.lowercased() }
    func position(_ column: AtariColumn) throws(MissingColumn) -> Int {
      guard let position = names.firstIndex(of: column.rawValue) else {
        throw MissingColumn(column)
      }
      return position
    }
    frame = try position(.frame)
    reward = try position(.reward)
    score = try position(.score)
    terminal = try position(.terminal)
    action = try position(.action)
    needed = 1 + max(frame, reward, score, terminal, action)
    named = names.count
  }

  struct MissingColumn: Error {
    let column: AtariColumn
    init(_ column: AtariColumn) { self.column = column }
  }
}
