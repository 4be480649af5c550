"""Objects that wait for a person because nothing here can look into them."""

from typing import Final

from safelight.dicomio.dictionary import is_image_sop_class, is_storage_sop_class
from safelight.dicomio.syntax import is_video
from safelight.errors import NeedsReviewError

__all__ = ["check_class"]

# Objects whose content nothing here can look into yet.
_HELD: Final = {
    "1.2.840.10008.5.1.4.1.1.66": "raw data",
    "1.2.840.10008.5.1.4.1.1.104.3": "an encapsulated 3D model",
    "1.2.840.10008.5.1.4.1.1.104.4": "an encapsulated 3D model",
    "1.2.840.10008.5.1.4.1.1.104.5": "an encapsulated 3D model",
}


def check_class(sop_class: str, syntax: str, *, burned_in: str) -> None:
    """Hold what cannot be judged by its header.

    Args:
        sop_class: SOP Class UID.
        syntax: Transfer Syntax UID.
        burned_in: Burned In Annotation (0028,0301). Documents say ``YES`` by rule (PS3.3 C.24.2)
            and are cleaned as documents; an image that says so holds what nothing here takes out.

    Raises:
        NeedsReviewError: It waits for a person, and why.
    """
    if not sop_class:
        raise NeedsReviewError("it does not say what kind of object it is", place="(0008,0016)")
    if sop_class in _HELD:
        raise NeedsReviewError(f"it holds {_HELD[sop_class]}, which cannot be looked into")
    if not is_storage_sop_class(sop_class):
        raise NeedsReviewError(
            "its SOP class is private or not known, so its content cannot be judged",
            place="(0008,0016)",
        )
    if is_video(syntax):
        raise NeedsReviewError("it holds moving pictures, which cannot be looked into")
    if burned_in == "YES" and is_image_sop_class(sop_class):
        raise NeedsReviewError(
            "it says that writing is burned in to its pixels, which are not looked into",
            place="(0028,0301)",
        )
