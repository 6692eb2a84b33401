import DurableFiles

/// One recording: pictures and rows brought together.
package struct AtariEpisode: Equatable, Sendable {
  package let id: Int
  package let game: String
  package let screens: AtariScreens
  /// The text file of the rows.
  package let trajectoryPath: String
  package let trajectory: AtariTrajectory
  /// Added to a row's frame to get its picture's number: 1 in version 1 of the data set, otherwise 0.
  package let pictureOffset: Int
  /// Rows that have a picture, in order.
  package let transitions: [AtariTransition]
  /// Pictures and rows within the recording that cannot be used, one each.
  package let faults: [AtariFrameFault]
  /// Rows after the last picture; trajectories of the data set may be longer than their pictures.
  package let surplusRows: Int
  /// Pictures after the last row.
  package let surplusPictures: Int

  /// Reads `trajectories/GAME/ID.txt` and lists `screens/GAME/ID/`.
  ///
  /// - Throws: when the text or the folder cannot be read, the text has no rows or its header lacks a column, or there is no picture.
  package init(
    _ id: Int, of game: String, in root: ConfinedFolder
  ) throws(AtariCorpusError) {
    let screens = try AtariScreens(folder: root.path(of: "screens/\(game)/\(id)"))
    guard let lastPicture = screens.numbers.last else { throw .noPictures(path: screens.folder) }
    let text = "trajectories/\(game)/\(id).txt"
    let trajectoryPath = root.path(of: text)
    let trajectory = try AtariTrajectoryParser.parse(
      CorpusFile.read(text, in: root), path: trajectoryPath)
    let offset = screens.offset(for: trajectory)
    let lastFrame = trajectory.lastFrame ?? -1

    self.id = id
    self.game = game
    self.screens = screens
    self.trajectoryPath = trajectoryPath
    self.trajectory = trajectory
    pictureOffset = offset
    let pictures = Set(screens.numbers)
    let rows = Set(trajectory.rows.map(\.frame))
    let faultyRows = Set(trajectory.faults.compactMap(\.frame))
    let shared = min(lastPicture - offset, lastFrame)
    transitions = trajectory.rows.filter { pictures.contains($0.frame + offset) }
    surplusRows = trajectory.rows.count { $0.frame > lastPicture - offset }
    surplusPictures = screens.numbers.count { $0 - offset > lastFrame }
    let rowsAlone = trajectory.rows.lazy
      .filter { $0.frame <= shared && !pictures.contains($0.frame + offset) }
      .map { AtariFrameFault.noPicture(frame: $0.frame, path: screens.path(of: $0.frame + offset)) }
    let picturesAlone = screens.numbers.lazy
      .filter {
        $0 - offset <= shared && !rows.contains($0 - offset) && !faultyRows.contains($0 - offset)
      }
      .map {
        AtariFrameFault.noRow(
          frame: $0 - offset, picture: screens.path(of: $0), trajectory: trajectoryPath)
      }
    faults = trajectory.faults.map(AtariFrameFault.row) + Array(rowsAlone) + Array(picturesAlone)
  }

  /// The picture of a row, relative to the root of the corpus.
  package func pictureName(of transition: AtariTransition) -> String {
    "screens/\(game)/\(id)/\(transition.frame + pictureOffset).png"
  }
}

/// Why one frame of a recording cannot be used.
package enum AtariFrameFault: Equatable, Sendable {
  case row(AtariRowFault)
  case noPicture(frame: Int, path: String)
  case noRow(frame: Int, picture: String, trajectory: String)

  /// The frame, when it is known.
  package var frame: Int? {
    switch self {
    case .row(let fault): fault.frame
    case .noPicture(let frame, _), .noRow(let frame, _, _): frame
    }
  }

  /// A short word for reports: `row`, `no-picture` or `no-row`.
  package var kind: String {
    switch self {
    case .row: "row"
    case .noPicture: "no-picture"
    case .noRow: "no-row"
    }
  }
}

extension AtariFrameFault: CustomStringConvertible {
  package var description: String {
    switch self {
    case .row(let fault):
      fault.description
    case .noPicture(let frame, let path):
      "\(path): no such picture for the row of frame \(frame)"
    case .noRow(let frame, let picture, let trajectory):
      "\(picture): no row for frame \(frame) in \(trajectory)"
    }
  }
}
