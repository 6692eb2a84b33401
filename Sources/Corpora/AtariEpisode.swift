import DurableFiles

/// One recording: images and rows brought together.
package struct AtariEpisode: Equatable, Sendable {
  package let id: Int
  package let game: String
  package let screens: AtariScreens
  /// The text file of the rows.
  package let trajectoryPath: String
  package let trajectory: AtariTrajectory
  /// Added to a row's frame to get its image's number: 1 in version 1 of the data set, otherwise 0.
  package let imageOffset: Int
  /// Rows that have an image, in order.
  package let transitions: [AtariTransition]
  /// Images and rows within the recording that cannot be used, one each.
  package let faults: [InvalidAtariFrame]
  /// Rows after the last image; trajectories of the data set may be longer than their images.
  package let surplusRows: Int
  /// Images after the last row.
  package let surplusImages: Int

  /// Reads `trajectories/GAME/ID.txt` and lists `screens/GAME/ID/`.
  ///
  /// - Throws: when the text or the folder cannot be read, the text has no rows or its header lacks
  ///   a column, or there is no image.
  package init(
    _ id: Int, of game: String, in root: ConfinedFolder
  ) throws(AtariCorpusError) {
    let screens = try AtariScreens(folder: root.path(of: "screens/\(game)/\(id)"))
    guard let lastImage = screens.numbers.last else { throw .noImages(path: screens.folder) }
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
    imageOffset = offset
    let images = Set(screens.numbers)
    let rows = Set(trajectory.rows.map(\.frame))
    let faultyRows = Set(trajectory.faults.compactMap(\.frame))
    let shared = min(lastImage - offset, lastFrame)
    transitions = trajectory.rows.filter { images.contains($0.frame + offset) }
    surplusRows = trajectory.rows.count { $0.frame > lastImage - offset }
    surplusImages = screens.numbers.count { $0 - offset > lastFrame }
    let rowsAlone = trajectory.rows.lazy
      .filter { $0.frame <= shared && !images.contains($0.frame + offset) }
      .map { InvalidAtariFrame.noImage(frame: $0.frame, path: screens.path(of: $0.frame + offset)) }
    let imagesAlone = screens.numbers.lazy
      .filter {
        $0 - offset <= shared && !rows.contains($0 - offset) && !faultyRows.contains($0 - offset)
      }
      .map {
        InvalidAtariFrame.noRow(
          frame: $0 - offset, image: screens.path(of: $0), trajectory: trajectoryPath)
      }
    faults = trajectory.faults.map(InvalidAtariFrame.row) + Array(rowsAlone) + Array(imagesAlone)
  }

  /// The surplus rows or images, one each.
  package var surplus: [InvalidAtariFrame] {
    let rows = trajectory.rows.suffix(surplusRows).map {
      InvalidAtariFrame.noImage(frame: $0.frame, path: screens.path(of: $0.frame + imageOffset))
    }
    let images = screens.numbers.suffix(surplusImages).map {
      InvalidAtariFrame.noRow(
        frame: $0 - imageOffset, image: screens.path(of: $0), trajectory: trajectoryPath)
    }
    return rows + images
  }

  /// The image of a row, relative to the root of the corpus.
  package func imageName(of transition: AtariTransition) -> String {
    "screens/\(game)/\(id)/\(transition.frame + imageOffset).png"
  }
}

/// Why one frame of a recording cannot be used.
package enum InvalidAtariFrame: Equatable, Sendable {
  case row(InvalidAtariRow)
  case noImage(frame: Int, path: String)
  case noRow(frame: Int, image: String, trajectory: String)

  /// The frame, when it is known.
  package var frame: Int? {
    switch self {
    case .row(let fault): fault.frame
    case .noImage(let frame, _), .noRow(let frame, _, _): frame
    }
  }

  /// A short word for reports: `row`, `no-image` or `no-row`.
  package var kind: String {
    switch self {
    case .row: "row"
    case .noImage: "no-picture"
    case .noRow: "no-row"
    }
  }
}

extension InvalidAtariFrame: CustomStringConvertible {
  package var description: String {
    switch self {
    case .row(let fault):
      fault.description
    case .noImage(let frame, let path):
      "\(path): no such image for the row of frame \(frame)"
    case .noRow(let frame, let image, let trajectory):
      "\(image): no row for frame \(frame) in \(trajectory)"
    }
  }
}
