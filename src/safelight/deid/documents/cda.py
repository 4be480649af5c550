"""Rewrite an HL7 CDA record: its clinical content stays, its people, places and numbers go.

The record is read into plain nodes, each node is judged by its name against fixed lists, and the
result is written anew: comments, processing instructions, foreign elements and attributes that are
not known do not come along.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn
from xml.sax.saxutils import escape, quoteattr

from safelight.deid.context import Cleaned, Context
from safelight.deid.documents.cdafacts import fact_in, told
from safelight.deid.documents.cdarules import CHARACTERISTICS, DROPPED, ELEMENTS, MASKED, WORDS
from safelight.deid.documents.cdavalues import Values
from safelight.deid.documents.words import surviving
from safelight.deid.profile import Option
from safelight.dicomio.limits import Limits
from safelight.errors import (
    LimitExceededError,
    NeedsReviewError,
    QuarantineError,
    UnreadableInputError,
)
from safelight.types import Original

__all__ = ["clean_cda"]

_HL7: Final = "urn:hl7-org:v3"
_SDTC: Final = "urn:hl7-org:sdtc"
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_PREFIXES: Final = {_HL7: "", _SDTC: "sdtc:", _XSI: "xsi:"}
# Elements of the narrative within which a line of text goes on.
_INLINE: Final = frozenset({"content", "sub", "sup", "linkHtml", "footnote", "td", "th"})
_WORD: Final = re.compile(r"\S+")
_DEEPEST: Final = 64
_XML_SPACE: Final = re.compile(r"[ \t\r\n]+")


@dataclass(slots=True)
class Node:
    """One element: its name with prefix, attributes by name with prefix, and what it holds."""

    name: str
    attributes: dict[str, str]
    children: list["Node | str"] = field(default_factory=list)

    @property
    def local(self) -> str:
        """The name without its prefix."""
        return self.name.rpartition(":")[2]


def clean_cda(original: Original, ctx: Context) -> Cleaned:
    """Return the record with its participants masked, its times moved and its text cleaned.

    Raises:
        UnreadableInputError: It is no well-formed CDA record.
        QuarantineError: It declares entities or a document type.
        LimitExceededError: It is too big, too deep, or has too many elements.
        NeedsReviewError: Its body is a file, or it holds pictures or other binary data.
    """
    builder = _Builder(ctx.limits)
    root = _parse(original.reveal(), builder, ctx.limits)
    cleaner = _Cleaner(ctx, Values(ctx))
    values = cleaner.values
    if builder.left_out:
        values.note("comments and instructions", "document: rebuilt", "remove")
    cleaner.element(root, ())
    text = '<?xml version="1.0" encoding="UTF-8"?>\n' + "".join(_written(root, top=True)) + "\n"
    return Cleaned(parts=(text.encode("utf-8"),), actions=tuple(values.actions))


# --- Reading and writing ------------------------------------------------------------------------


@dataclass(slots=True)
class _Builder:
    """Builds nodes from parser events; what is not understood is not built."""

    limits: Limits
    stack: list[Node] = field(default_factory=list)
    root: Node | None = None
    texts: list[str] = field(default_factory=list)
    elements: int = 0
    left_out: bool = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._settle()
        self.elements += 1
        if self.elements > self.limits.elements:
            raise LimitExceededError("it has more elements than the limit")
        if len(self.stack) >= min(_DEEPEST, self.limits.depth_read):
            raise LimitExceededError("its elements are nested deeper than the limit")
        held = {_named(name, bare=""): value for name, value in attributes.items()}
        node = Node(_named(tag), held)
        if self.stack:
            self.stack[-1].children.append(node)
        else:
            self.root = node
        self.stack.append(node)

    def end(self, _tag: str) -> None:
        self._settle()
        self.stack.pop()

    def data(self, text: str) -> None:
        self.texts.append(text)

    def _settle(self) -> None:
        """Hang the text read so far, which comes in many pieces, into its element."""
        if self.texts and self.stack:
            self.stack[-1].children.append("".join(self.texts))
        self.texts.clear()

    def comment(self, _text: str) -> None:
        self.left_out = True

    def pi(self, _target: str, _data: str = "") -> None:
        self.left_out = True

    def close(self) -> None:
        return None


def _named(tag: str, bare: str = "?:") -> str:
    """Return the name with our own prefix for its namespace; ``?:`` for foreign ones."""
    if not tag.startswith("{"):
        return bare + tag
    space, _, local = tag[1:].rpartition("}")
    return _PREFIXES.get(space, "?:") + local


def _parse(data: bytes, builder: _Builder, limits: Limits) -> Node:
    from xml.etree.ElementTree import ParseError  # noqa: PLC0415 - start-up cost

    from defusedxml import DefusedXmlException  # noqa: PLC0415 - start-up cost
    from defusedxml.ElementTree import DefusedXMLParser  # noqa: PLC0415 - start-up cost

    if len(data) > limits.value_bytes:
        raise LimitExceededError("the record is larger than the limit value_bytes")
    parser: Any = DefusedXMLParser(target=builder, forbid_dtd=True)
    try:
        parser.feed(_unpadded(data))
        parser.close()
    except DefusedXmlException as error:
        raise QuarantineError("it declares a document type or entities") from error
    except (ParseError, ValueError, LookupError) as error:
        raise UnreadableInputError("it is no well-formed XML") from error
    root = builder.root
    if root is None or root.name != "ClinicalDocument":
        raise UnreadableInputError("it is no CDA record")
    return root


def _unpadded(data: bytes) -> bytes:
    """Take off the padding that an encapsulated record may end with (PS3.5 7.1.1)."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data[: len(data) & ~1]
    return data.rstrip(b"\0")


def _written(node: Node, *, top: bool = False) -> Iterator[str]:
    spaces = f' xmlns="{_HL7}" xmlns:sdtc="{_SDTC}" xmlns:xsi="{_XSI}"' if top else ""
    held = "".join(f" {name}={quoteattr(value)}" for name, value in node.attributes.items())
    if not node.children:
        yield f"<{node.name}{spaces}{held}/>"
        return
    yield f"<{node.name}{spaces}{held}>"
    for child in node.children:
        if isinstance(child, str):
            yield escape(child)
        else:
            yield from _written(child)
    yield f"</{node.name}>"


# --- Judging ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Cleaner:
    """One pass over the nodes, which are changed where they stand."""

    ctx: Context
    values: "Values"

    def element(self, node: Node, path: tuple[str, ...]) -> None:
        """Clean one element that may stay."""
        timed = node.attributes.get("xsi:type", "").endswith("TS")
        path = (*path, "time" if timed else node.local)
        parent = path[-2] if len(path) > 1 else ""
        self.values.place = "/".join(path)
        if _is_binary(node):
            _refuse(self.values.place)
        if node.local in MASKED and not (node.local == "name" and parent in WORDS):
            self.values.gone(_all_text(node), "CDA: names, addresses and numbers of people")
            node.attributes, node.children = {"nullFlavor": "MSK"}, []
            if node.local == "name" and parent == "patient":
                node.attributes, node.children = {}, [self.ctx.subject.patient_name]
            return
        node.attributes = self.values.attributes(node.local, node.attributes, path)
        if node.local in ("text", "title", "desc", "originalText"):
            self._narrative(node, path)
            return
        if node.local == "observation":
            self._fact(node)
        children = list(self._kept(node, path))
        own = [child for child in children if isinstance(child, str)]
        if own and not any(isinstance(child, Node) for child in children):
            self._narrative(node, path)
        else:
            node.children = [child for child in children if isinstance(child, Node)]
            if own:
                self.values.gone(" ".join(own), "CDA: text where none belongs")

    def _fact(self, node: Node) -> None:
        """Handle the values of an observation that tells an age or a birth date."""
        codes = [child for child in node.children if isinstance(child, Node)]
        codes = [child for child in codes if child.local == "code"]
        codes += [each for code in codes for each in code.children if isinstance(each, Node)]
        fact = fact_in(code.attributes for code in codes)
        if fact:
            for child in node.children:
                if isinstance(child, Node) and child.local == "value":
                    self._told(child, fact)

    def _told(self, node: Node, fact: str) -> None:
        left = told(node.attributes, fact, self.ctx)
        if left != node.attributes:
            self.values.gone(_all_text(node), f"CDA: the code says {fact}")
        if left is None:
            kind = {k: v for k, v in node.attributes.items() if k == "xsi:type"}
            node.attributes, node.children = {"nullFlavor": "MSK"} | kind, []
            return
        node.attributes = left
        for child in node.children:
            if isinstance(child, Node):
                self._told(child, fact)

    def _kept(self, node: Node, path: tuple[str, ...]) -> "Iterable[Node | str]":
        for child in node.children:
            if isinstance(child, str):
                if not child.isspace():
                    yield child
            elif self._may_stand(child, path):
                self.element(child, path)
                yield child

    def _may_stand(self, node: Node, path: tuple[str, ...]) -> bool:
        self.values.place = "/".join(path)
        if node.name.startswith("?:") or node.local not in ELEMENTS:
            self.values.gone(_all_text(node), "CDA: element that is not known")
            return False
        options = self.ctx.profile.options
        kept = Option.RETAIN_PATIENT_CHARACTERISTICS in options
        if node.local in DROPPED or (node.local in CHARACTERISTICS and not kept):
            self.values.place += f"/{node.local}"
            self.values.gone(_all_text(node), "CDA: fact about the person")
            return False
        return True

    def _narrative(self, node: Node, path: tuple[str, ...]) -> None:
        """Clean mixed content as running text: a name may be cut up by inner elements."""
        lines: list[list[_Word]] = [[]]
        self._gather(node, lines, path)
        self.values.place = "/".join(path)
        flat = [word for line in lines for word in line]
        left, rules, _ = surviving(lines, _Word.text, self.ctx)
        kept = {id(word) for line in left for word in line}
        gone = [word for word in flat if id(word) not in kept]
        for word in gone:
            word.cut()
        for rule in rules:
            self.values.gone(" ".join(word.text() for word in gone), f"text: {rule}", "clean")
        _settle(node)

    def _gather(self, node: Node, lines: "list[list[_Word]]", path: tuple[str, ...]) -> None:
        """Collect the words of a narrative by line; wrap its texts so that they can be cut."""
        held: list[Node | str] = []
        for child in node.children:
            if isinstance(child, str):
                text = _Text(child)
                _split(text, lines[-1])
                held.append(text)
            elif self._may_stand(child, path):
                child.attributes = self.values.attributes(child.local, child.attributes, path)
                if _is_binary(child):
                    _refuse(self.values.place)
                if child.local not in _INLINE:
                    lines.append([])
                self._gather(child, lines, path)
                if child.local not in _INLINE:
                    lines.append([])
                elif child.local in ("td", "th") and lines[-1]:
                    lines[-1][-1].open = False
                held.append(child)
        node.children = held


class _Text(str):
    """A text that knows which of its stretches are to be cut."""

    __slots__ = ("cuts",)

    def __init__(self, _value: str) -> None:
        self.cuts: list[tuple[int, int]] = []


@dataclass(slots=True, eq=False)
class _Word:
    """One word, in as many pieces as inner elements cut it into."""

    pieces: list[tuple[_Text, int, int]]
    open: bool = True

    def text(self) -> str:
        """Return the word as it is read."""
        return "".join(text[start:stop] for text, start, stop in self.pieces)

    def cut(self) -> None:
        """Mark all its pieces to be cut out."""
        for text, start, stop in self.pieces:
            text.cuts.append((start, stop))


def _split(text: _Text, line: list[_Word]) -> None:
    """Add the words of a text to a line; one without a blank before it goes on with the last."""
    if line and text[:1].isspace():
        line[-1].open = False
    for found in _WORD.finditer(text):
        piece = (text, found.start(), found.end())
        if found.start() == 0 and line and line[-1].open:
            line[-1].pieces.append(piece)
        else:
            line.append(_Word([piece]))
        line[-1].open = found.end() == len(text)


def _settle(node: Node) -> None:
    """Write what is left of each text, with one blank for any run of them."""
    held: list[Node | str] = []
    for child in node.children:
        if isinstance(child, _Text):
            left, at = [], 0
            for start, stop in sorted(child.cuts):
                left.append(child[at:start])
                at = stop
            text = _XML_SPACE.sub(" ", "".join((*left, child[at:])))
            if text:
                held.append(text)
        else:
            if isinstance(child, Node):
                _settle(child)
            held.append(child)
    node.children = held


def _is_binary(node: Node) -> bool:
    """Tell whether an element holds a file, a picture or a link to one."""
    return (
        node.local in ("nonXMLBody", "observationMedia", "renderMultiMedia", "regionOfInterest")
        or node.attributes.get("representation") == "B64"
        or "compression" in node.attributes
        or not node.attributes.get("mediaType", "text/").startswith("text/")
    )


def _refuse(place: str) -> NoReturn:
    raise NeedsReviewError("it holds a file or a picture", place=place)


def _all_text(node: Node) -> str:
    """Return every text and attribute value inside, for the digest."""
    parts = list(node.attributes.values())
    for child in node.children:
        parts += [child if isinstance(child, str) else _all_text(child)]
    return " ".join(parts)
