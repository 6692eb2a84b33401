// The text of a trajectory, as version 2 of the data set writes it.

extension AtariTrajectory {
  /// What `AtariTrajectoryParser` reads as these rows.
  ///
  /// - Parameters:
  ///   - id: the recording's number, for the line before the header.
  ///   - rows: frames strictly ascending.
  package static func text(ofRecording id: Int, rows: [AtariTransition]) -> String {
    var text = "db traj id : \(id)\nframe,reward,score,terminal,action\n"
    for row in rows {
      text += "\(row.frame),\(row.reward),\(row.score),\(row.terminal ? 1 : 0),"
      text += "\(row.action.rawValue)\n"
    }
    return text
  }
}
