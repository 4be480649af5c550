"""Find writing and codes in pixels, and prove what of it may stay (``docs/burned-in.md``).

``Finder.look`` finds in one frame, ``SeriesLook`` in a whole series, ``Finder.decide`` says what is
masked and what stays, ``Finder.check`` looks at the result once more.
"""

from collections.abc import Sequence

from safelight.deid.boxes import Region
from safelight.deid.burned.check import Leftover, check
from safelight.deid.burned.decide import DEFAULT, Policy, decide
from safelight.deid.burned.find import Grey
from safelight.deid.burned.glance import Glance, glance
from safelight.deid.burned.look import Eyes
from safelight.deid.burned.series import SeriesLook
from safelight.deid.burned.sight import NO_HINTS, Candidate, Hints, Shown, Sight
from safelight.deid.text import Needles

__all__ = [
    "NO_HINTS",
    "Candidate",
    "Finder",
    "Glance",
    "Hints",
    "Leftover",
    "Policy",
    "SeriesLook",
    "Shown",
    "Sight",
]


class Finder:
    """Finds and judges text in pictures. One a process: the networks load on first use."""

    def __init__(self) -> None:
        self._eyes = Eyes()

    def glance(self, grey: Grey) -> Glance:
        """Return whether one of very many pictures is worth a look, (rows, columns), uint8."""
        return glance(self._eyes.segments, grey)

    def look(
        self,
        picture: Shown,
        hints: Hints = NO_HINTS,
        frame: int | None = 0,
        others: Sequence[Shown] = (),
    ) -> Sight:
        """Return what is found in one picture; see ``sight.Sight``.

        Args:
            picture: As a viewer shows it: ``grey`` (rows, columns) and perhaps ``rgb``, uint8.
            hints: What the header says. It can only make the look closer.
            frame: Number of the frame or slice, from 0.
            others: The same frame shown otherwise: over its full range of tones where a window
                may hide what is written, each overlay laid over it.
        """
        return self._eyes.look(picture, hints, frame, others=others)

    def decide(
        self,
        sights: Sequence[Sight],
        needles: Needles | None,
        hints: Hints = NO_HINTS,
        policy: Policy = DEFAULT,
    ) -> list[Region]:
        """Return what is masked and what stays in the frames of one object or series.

        Args:
            sights: What was found, a sight for each frame; with it what ``SeriesLook`` found.
            needles: The subject's own values; None when nothing is known of the subject.
            hints: What the header says.
            policy: How what was found is treated.
        """
        return decide(sights, needles, hints, policy)

    def check(
        self, picture: Shown, regions: Sequence[Region], needles: Needles | None = None
    ) -> list[Leftover]:
        """Return what is still legible in a masked picture; empty when nothing is.

        Args:
            picture: The masked picture, as a viewer shows it.
            regions: What was decided for this frame.
            needles: The subject's own values.
        """
        return check(self._eyes, picture, regions, needles)

    def series(self) -> SeriesLook:
        """Return a look at a whole series, to which its frames are added one by one."""
        return SeriesLook(self._eyes)
