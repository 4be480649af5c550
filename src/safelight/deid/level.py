"""Where in a data set the walk is, and what it carries along there."""

from typing import NamedTuple

from safelight.deid.table import Rule
from safelight.dicomio.charset import Charset
from safelight.dicomio.walker import Walker

__all__ = ["Block", "Level", "Plan"]


class Level(NamedTuple):
    """Where in a data set the walk is.

    Attributes:
        parent: Tag of the sequence that holds this item; 0 at the top.
        charset: In force here.
        walker: Of the encoding in force here.
        depth: 0 at the top.
        scheme: Coding Scheme Designator of this item, which its code value belongs to.
        dummy: Inside a sequence that identifies as a whole: text that no rule names is replaced.
        fact: What the concept name of this content item says (``concepts.fact_of``), or nothing.
        most: What makes 90 years in the unit of an age.
    """

    parent: int
    charset: Charset
    walker: Walker
    depth: int
    scheme: str = ""
    dummy: bool = False
    fact: str = ""
    most: int = 90


class Plan(NamedTuple):
    """What is to be done about an element: its real VR, the rule, whether it has its own way."""

    real: bytes
    rule: Rule
    own: bool


class Block(NamedTuple):
    """A private block: its creator, and where the creator's element stands in the output."""

    name: str
    slot: int
    tag: int
    vr: bytes
