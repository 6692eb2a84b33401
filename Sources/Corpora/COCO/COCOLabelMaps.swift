import CAnnotations

/// Label maps painted from annotations, in COCO-Stuff ids.
package struct COCOLabelMaps: Sendable {
  private let things: COCOObjects?
  private let stuff: COCOObjects?

  /// How overlaps are decided.
  package static let rule =
    "stuff first, then things over it; within either, by covered pixels, larger first, so that "
    + "smaller lies over larger; of equal ones the higher annotation id lies over the lower; "
    + "crowds are things; 'other' (183) and what nothing covers is 0"

  /// - Parameters:
  ///   - things: an `instances_*.json`: categories 1…91.
  ///   - stuff: a `stuff_*.json`: categories 92…182; 183, which stands for all that is no stuff, is
  ///     passed over.
  package init(things: COCOObjects?, stuff: COCOObjects?) {
    self.things = things
    self.stuff = stuff
  }

  /// The labels of an image; may be called by several threads at once.
  ///
  /// - Parameters:
  ///   - width: columns of the image.
  ///   - height: rows of the image.
  /// - Returns: ids `[height, width]`, 0 unlabelled and 1…182, and the annotations that made no
  ///   mask, or not of all their parts, and are painted without.
  /// - Throws: when a file cannot be read any more.
  package func labels(
    of image: Int64, width: Int, height: Int
  ) throws(COCOError) -> (values: [UInt8], faults: [InvalidCOCORecord]) {
    let maker = MaskMaker(width: width, height: height)
    var columns = [UInt8](repeating: 0, count: width * height)
    var faults: [InvalidCOCORecord] = []
    for (objects, ids) in [(stuff, COCOStuffLabel.stuff), (things, COCOStuffLabel.things)] {
      guard let objects else { continue }
      var layers = try layers(of: image, in: objects, labels: ids, with: maker, &faults)
      layers.sort { ($1.area, $0.id, $0.position) < ($0.area, $1.id, $1.position) }
      for layer in layers { layer.mask.paint(layer.label, into: &columns) }
    }
    let values = [UInt8](unsafeUninitializedCapacity: columns.count) { rows, initialized in
      ca_transpose(columns, ca_mask_size(height: height, width: width), rows.baseAddress)
      initialized = columns.count
    }
    return (values, faults)
  }

  private struct Layer {
    var id: Int64
    var position: Int
    var label: UInt8
    var mask: COCOMask
    var area: Int
  }

  private func layers(
    of image: Int64, in objects: COCOObjects, labels: ClosedRange<UInt8>, with maker: MaskMaker,
    _ faults: inout [InvalidCOCORecord]
  ) throws(COCOError) -> [Layer] {
    var layers: [Layer] = []
    for annotation in objects.annotations(of: image)
    where annotation.categoryID != COCOStuffLabel.other {
      do {
        guard let label = UInt8(exactly: annotation.categoryID), labels.contains(label) else {
          throw InvalidCOCORecord(
            path: objects.path, byte: annotation.position, section: .annotation,
            id: annotation.number,
            imageID: image,
            reason: .wrong(
              field: "category_id", found: "\(annotation.categoryID)",
              expected: "\(labels.lowerBound)…\(labels.upperBound) in a label map"))
        }
        let mask = try objects.mask(of: annotation, with: maker)
        if let (first, count) = maker.leftOut {
          faults.append(
            InvalidCOCORecord(
              path: objects.path, byte: annotation.position, section: .annotation,
              id: annotation.number, imageID: image, reason: .parts(first: first, count: count)))
        }
        layers.append(
          Layer(
            id: annotation.id, position: annotation.position, label: label, mask: mask,
            area: mask.area))
      } catch let fault as InvalidCOCORecord {
        faults.append(fault)
      } catch let error as COCOError {
        throw error
      } catch {
        preconditionFailure("a mask throws InvalidCOCORecord or COCOError, got \(error)")
      }
    }
    return layers
  }
}
