"""A reading as a secondary capture, for archives and viewers that show nothing else.

Secondary Capture Image Storage (PS3.3 A.8.1): RGB, the picture with each reader's contribution map
and its legend, below it what was read. Maps of plug-ins are marked as unverified.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage

from safelight.readers.reading import Reading
from safelight.reports import maps, words
from safelight.reports.dicom import common, header_of, lossy_of, uid, written
from safelight.reports.sr import hash_of

__all__ = ["secondary_capture"]

_SERIES_NUMBER: Final = 9902
_WIDEST: Final = 65_535


def secondary_capture(
    reading: Reading,
    grey: NDArray[np.uint8],
    dataset: Dataset | None,
    *,
    clinician: bool = False,
    number: int = 1,
) -> bytes:
    """Return the secondary capture as a DICOM file.

    Args:
        reading: What was read.
        grey: The picture that was read, as displayed, shape (rows, columns).
        dataset: Header of the de-identified input; None when it is not DICOM.
        clinician: Show maps, and readers in shadow; a person sees the picture and the sentences.
        number: Its Instance Number: captures of one study and modality are one series.
    """
    header = header_of(dataset, reading.source)
    shown = _panels(reading, grey, clinician=clinician)
    rows, columns = shown.shape[:2]
    made = Dataset()
    for keyword, value in common(header).items():
        setattr(made, keyword, value)
    made.SOPClassUID = SecondaryCaptureImageStorage
    if dataset is None:  # the picture itself has no other instance
        made.SOPInstanceUID = header.SOPInstanceUID
        made.SeriesInstanceUID = header.SeriesInstanceUID
    else:
        made.SOPInstanceUID = uid(
            "secondary capture", str(clinician), reading.source, hash_of(reading)
        )
        # a series is of one modality (PS3.3 A.1.2.3)
        made.SeriesInstanceUID = uid(
            "secondary capture series", str(header.StudyInstanceUID), header.Modality
        )
        made.SourceImageSequence = [_reference(header)]
    made.Modality = header.Modality
    made.ConversionType = "WSD"
    made.SeriesNumber = _SERIES_NUMBER
    made.InstanceNumber = number
    made.SeriesDescription = "Safelight reading, unverified"
    made.ImageType = ["DERIVED", "SECONDARY"]
    made.DerivationDescription = "Readers' answers set below the picture; see the text in it"
    made.PatientOrientation = ""
    made.Laterality = ""  # unknown (type 2C): the picture may be of a paired part
    made.BurnedInAnnotation = "NO"  # what is written in it names nobody
    for keyword, value in lossy_of(dataset).items():
        setattr(made, keyword, value)
    made.SamplesPerPixel = 3
    made.PhotometricInterpretation = "RGB"
    made.PlanarConfiguration = 0
    made.Rows, made.Columns = rows, columns
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit = 7
    made.PixelRepresentation = 0
    data = np.ascontiguousarray(shown).tobytes()
    made.PixelData = data + b"\0" * (len(data) % 2)
    made["PixelData"].VR = "OB"
    return written(made)


def _reference(header: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = header.SOPClassUID
    item.ReferencedSOPInstanceUID = header.SOPInstanceUID
    return item


def _panels(reading: Reading, grey: NDArray[np.uint8], *, clinician: bool) -> NDArray[np.uint8]:
    """Return one panel for each map, one below the other, the sentences under the last."""
    found = words.shown(reading, clinician=clinician)
    panels = [
        maps.with_legend(maps.overlaid(grey, each), maps.legend(each))
        for each in found
        if clinician and maps.has_map(each)
    ]
    plain = maps.plain_picture(grey)
    panels.insert(0, maps.with_legend(plain, tuple(_sentences(reading, clinician=clinician))))
    width = min(max(each.shape[1] for each in panels), _WIDEST)
    padded = [
        np.pad(each, ((0, 0), (0, width - each.shape[1]), (0, 0)), constant_values=255)
        for each in panels
    ]
    return np.concatenate(padded)[:_WIDEST]


def _sentences(reading: Reading, *, clinician: bool) -> Iterator[str]:
    yield "Safelight: research, not for diagnosis. Not verified by a person."
    yield from words.kind_of(reading.kind)
    yield from map(words.plain, reading.notes)
    for each in words.shown(reading, clinician=clinician):
        mark = f"{words.SHADOW} " if words.in_shadow(each) else ""
        research = f"{words.RESEARCH} " if each.research_only else ""
        yield f"Reader {each.reader} {each.version}. {mark}{research}{words.answer_of(each)}"
        yield from words.counts(each)
    if nobody := words.no_reader(reading, clinician=clinician):
        yield nobody
