"""What an input is: its header and its pixels are asked apart, and must not contradict each other.

    answer = what(view)

The rules, in this order; each is a test and a line of docs/kind.md:

1. Without a picture, the header decides whether it is a document; else it is not sure.
2. A header that contradicts itself is told, and nothing is decided.
3. A header that names nothing leaves it to the pixels.
4. Header and pixels that agree decide.
5. Header and pixels that disagree are told, and nothing is decided; but where the pixels never
   learned the header's kind and name another of the same modality, the header decides.
6. Pixels that are not sure: a header that names one kind decides if the pixels never learned that
   kind, but not of a secondary capture, nor of a coloured picture where that kind has no colours;
   or if it is the nearest and not much too far from what that kind alone may be. Of several kinds
   that a header leaves open, all of them learned, the nearest of all kinds is taken if it is near
   enough and clear among those.
"""

from typing import Final

from safelight.errors import SafelightError
from safelight.readers.kind.header import Says, say
from safelight.readers.kind.pixels import Look, pixel_reader
from safelight.readers.reading import KindAnswer, ViewKind
from safelight.readers.view import View

__all__ = ["what"]

_FRAMES: Final = 3  # of many, so many are looked at
_NEARLY: Final = 1.5  # how far the header's own kind may be where it alone names it
_FAR: Final = 99.0
# What pixels cannot tell from their kin, never having learned it: the header may.
_FAMILIES: Final = (
    {ViewKind.BREAST_ULTRASOUND, ViewKind.OTHER_ULTRASOUND},
    {ViewKind.HEAD_MR, ViewKind.SPINE_MR, ViewKind.BREAST_MR, ViewKind.KNEE_MR, ViewKind.OTHER_MR},
    {ViewKind.CHEST_XRAY_FRONTAL, ViewKind.CHEST_XRAY_LATERAL},
    {ViewKind.PET, ViewKind.SCINTIGRAPHY},
)
# Never learned by pixels, and without colours, ever.
_UNCOLOURED: Final = frozenset(
    (ViewKind.CHEST_XRAY_LATERAL, ViewKind.KNEE_MR, ViewKind.OTHER_MR, ViewKind.PET)
)


def what(view: View) -> KindAnswer:
    """Return what an input is; ``kind`` is None when that is not certain.

    Args:
        view: The input. Of many frames, three are looked at, and must not contradict each other.
    """
    says = say(view)
    if not view.frames:
        return _without(view, says)
    try:
        look = _look(view)
    except SafelightError as error:
        why = f"its pictures cannot be looked at: {error.what}"
        return KindAnswer(kind=None, by_header=says.kind, by_pixels=None, distance=_FAR, why=why)
    kind, why = _decide(says, look)
    return KindAnswer(
        kind=kind, by_header=says.kind, by_pixels=look.kind, distance=look.distance, why=why
    )


def _without(view: View, says: Says) -> KindAnswer:
    document = says.kind is ViewKind.DOCUMENT
    why = "the file is a document" if document else f"no picture: {view.why_no_picture}"
    return KindAnswer(
        kind=ViewKind.DOCUMENT if document else None,
        by_header=says.kind,
        by_pixels=None,
        distance=0.0 if document else _FAR,
        why=why,
    )


def _look(view: View) -> Look:
    """Return what the pixels of one, or of three frames spread over it, say together."""
    count = view.frames
    numbers = sorted({count * n // (_FRAMES + 1) for n in range(1, _FRAMES + 1)})
    looks = []
    for number in numbers if count > 1 else [0]:
        colours = view.rgb(number)
        looks.append(pixel_reader().look(view.picture(number) if colours is None else colours))
    looks.sort(key=lambda look: look.distance)
    accepted = {look.kind for look in looks if look.kind}
    if len(accepted) > 1:
        why = "its frames look like different kinds"
        return Look(kind=None, nearest=looks[0].nearest, distance=_FAR, why=why)
    return looks[0]


def _decide(says: Says, look: Look) -> tuple[ViewKind | None, str]:
    """Return the kind and one sentence (rules 2 to 6 above)."""
    if says.fault:
        return None, f"the header contradicts itself: {says.fault}"
    seen = f"the pixels look like {_named(look.kind)}" if look.kind else look.why
    if says.allowed is None:
        return look.kind, f"the header says nothing ({says.why}); {seen}"
    told = f"the header says {says.why}"
    if look.kind in says.allowed:
        return look.kind, f"{told}, and {seen}"
    known = pixel_reader().kinds
    single = says.kind
    if single is not None and single not in known:
        kind, why = _unlearned(single, look, seen, capture=says.capture)
        return kind, f"{told}{why}"
    if look.kind is not None:
        return None, f"{told}, but {seen}: they disagree"
    if not says.allowed:
        return None, f"{told}, which is no kind known here"
    if single and look.nearest is single and look.among(says.allowed) <= _NEARLY:
        return single, f"{told}, and the pixels are most like it, though not certain"
    open_ = look.near is not None and says.allowed <= set(known)
    if open_ and look.nearest in says.allowed and look.among(says.allowed) <= 1:
        return look.nearest, f"{told}, and of those the pixels are clearly {_named(look.nearest)}"
    return None, f"{told}, but {seen}"


def _unlearned(
    kind: ViewKind, look: Look, seen: str, *, capture: bool
) -> tuple[ViewKind | None, str]:
    """Return what holds of a kind that a header names and pixels never learned, and why."""
    if look.colour and kind in _UNCOLOURED:
        return None, ", but a picture of that kind has no colours, and this one has"
    if look.kind is not None:
        if any({kind, look.kind} <= kin for kin in _FAMILIES):
            return kind, f"; {seen}, but pixels cannot tell these two apart"
        return None, f", but {seen}: they disagree"
    if capture:
        return None, f", but a secondary capture may show anything, and {seen}"
    return kind, ", a kind that is known by its header alone"


def _named(kind: ViewKind) -> str:
    return f"a {kind}" if kind[0] not in "aeiouMX" else f"an {kind}"
