import Corpora
import Images
import Shards

/// Turns planned samples into rows: decode, check the size, fit, put together, compress.
///
/// Any thread may do it.
struct AtariSampleReader: Sendable {
  let plan: AtariPlan
  let encoder: ImageRowEncoder

  /// Reads one sample of the plan.
  func read(_ sample: AtariSample) -> SampleOutcome<AtariLabels> {
    switch sample {
    case .bad(let name, let reason): .skipped(SkippedSample(name: name, reason: reason))
    case .states(let states): read(states)
    }
  }

  private func read(_ states: AtariStates) -> SampleOutcome<AtariLabels> {
    let episode = plan.episodes[states.episode]
    var labels = plan.labels(of: states)
    let name = labels.name(game: plan.options.game)
    var pictures: [RGBImage] = []
    for file in plan.pictureNames(of: states) {
      let path = plan.folder.path(of: file)
      let picture: RGBImage
      do throws(ImageError) {
        picture = try ImageDecoder.decode(try plan.folder.bytes(of: file), path: path)
      } catch {
        return .skipped(SkippedSample(name: name, reason: "\(error)"))
      }
      guard picture.width == episode.width, picture.height == episode.height else {
        return .skipped(
          SkippedSample(
            name: name,
            reason: "\(path): \(picture.width)x\(picture.height) pixels, the recording has "
              + "\(episode.width)x\(episode.height)"))
      }
      pictures.append(picture)
    }
    if let places = plan.options.places { labels.room = pictures.last.map(places.number) }
    let pixels = plan.options.recipe.picture(of: pictures).pixels
    return .rows([(encoder.encode(pixels, id: labels.id, name: name), labels)], faults: [])
  }
}
