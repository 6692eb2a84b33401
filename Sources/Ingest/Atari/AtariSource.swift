import Corpora
import Images
import Shards

/// Recordings of a game as images: one game state each, or several that become one image.
struct AtariSource: ImageSource {
  let game: String
  let recipe: ImageRecipe
  /// Images by which rooms are told apart; nil for no column `room`.
  let rooms: RoomTemplates?
  /// The root of the corpus, out of which no image is read.
  let folder: ImageFolder
  let episodes: [PlannedEpisode]
  /// The states of each sample, at the sample's index.
  let samples: [AtariStates]

  var corpus: String { "atari-grand-challenge/\(game)" }

  var contents: ImageContents {
    ImageContents(
      columns: [
        ("trajectory", .int64), ("frame", .int64), ("action", .uint8), ("reward", .int64),
        ("score", .int64), ("terminal", .bool),
      ] + (rooms == nil ? [] : [("room", .int32)]))
  }

  func read(_ image: PlannedImage, needs: ImageNeeds) throws(InvalidImage) -> SourceImage {
    let states = samples[image.index]
    let planned = episodes[states.episode]
    var images: [RGBImage] = []
    for index in planned.kept[states.positions] {
      let file = planned.episode.imageName(of: planned.episode.transitions[index])
      let path = folder.path(of: file)
      let state: RGBImage
      do throws(ImageError) {
        state = try ImageDecoder.decode(try folder.bytes(of: file), path: path)
      } catch {
        throw InvalidImage(error)
      }
      guard state.width == planned.width, state.height == planned.height else {
        throw InvalidImage(
          "\(path): \(state.width)x\(state.height) pixels, the recording has "
            + "\(planned.width)x\(planned.height)")
      }
      images.append(state)
    }
    var found = SourceImage(image: DecodedImage(recipe.image(of: images)))
    found.labels = labels(of: states)
    if let rooms { found.labels.append(images.last.map { Int64(rooms.number(of: $0)) } ?? 0) }
    return found
  }

  /// The values of all columns but `room`; frame, action and score are those of the last state.
  ///
  /// Rewards of rows that are not stored themselves count for the stored row before them.
  private func labels(of states: AtariStates) -> [Int64] {
    let planned = episodes[states.episode]
    let rows = planned.episode.transitions
    let last = rows[planned.kept[states.positions.upperBound - 1]]
    var reward = 0
    var isTerminal = false
    for row in rows[planned.kept[states.positions.lowerBound]..<states.end] {
      reward = reward.addingReportingOverflow(row.reward).partialValue
      isTerminal = isTerminal || row.terminal
    }
    return [
      planned.episode.id, last.frame, Int(last.action.rawValue), reward, last.score,
      isTerminal ? 1 : 0,
    ].map(Int64.init)
  }
}

/// A recording and the frames of it that are used.
struct PlannedEpisode: Sendable {
  let episode: AtariEpisode
  /// Indices into `episode.transitions` of the frames that are left after `--every` and
  /// `--drop-duplicates`.
  let kept: [Int]
  /// Size of the recording's images, that of its first readable one; an image of another size is
  /// skipped.
  let width: Int
  let height: Int
}

/// Successive states of one recording that become one image.
struct AtariStates: Equatable, Sendable {
  /// Index into the source's episodes.
  let episode: Int
  /// The states' positions in the episode's `kept`.
  let positions: Range<Int>
  /// Index into the episode's transitions of the first row that belongs to the next sample.
  let end: Int
}
