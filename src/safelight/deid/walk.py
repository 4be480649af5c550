"""The walk: one pass over an encoded data set, each distinct value decided once.

What is kept is copied as a slice of the input. A decision is remembered under the encoded bytes of
its element, so a series, whose files repeat nearly all of their elements, costs one look-up each.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from safelight.deid import concepts, private
from safelight.deid.codes import CODE_TAGS, SCHEME, Codes
from safelight.deid.context import Context
from safelight.deid.decision import Decided, Entry
from safelight.deid.encode import encode_element, encode_item, encode_sequence
from safelight.deid.level import Block, Level, Plan
from safelight.deid.moulds import MOST_BYTES, Moulds
from safelight.deid.profile import Option
from safelight.deid.representation import BULK, TABLE_BYTES, real_vr
from safelight.deid.spelling import spells
from safelight.deid.table import Act, Rule, Table, as_read
from safelight.deid.values import Values
from safelight.dicomio.charset import charset_of
from safelight.dicomio.dictionary import lookup
from safelight.dicomio.runs import Run
from safelight.dicomio.walker import UNKNOWN_SEQUENCE, Budget, Buffer, Element, place
from safelight.errors import LimitExceededError

__all__ = ["Cleaner", "Level"]

Special = Callable[[bytes], bytes | None]

CHARSET: Final = 0x00080005
_ANEW: Final = "written anew from what this run does"
_NESTED: Final = "pixel data inside a sequence"
_ELSEWHERE: Final = {
    0x00120062: _ANEW, 0x00120063: _ANEW, 0x00120064: _ANEW, 0x00280303: _ANEW,
    0x7FE00008: _NESTED, 0x7FE00009: _NESTED, 0x7FE00010: _NESTED,
}  # fmt: skip
_PICTURES: Final = 0x7F  # groups of pixel data, and of its retired forms
_NEVER: Final = frozenset((0x0000, 0x0002, 0x0004, 0x0006, 0xFFFC, 0xFFFE))
_MEMO_BYTES: Final = 1 << 16
_MEMO_ENTRIES: Final = 50_000


class Cleaner:
    """Cleans the data sets of one subject and SOP class.

    Args:
        ctx: Key, profile, subject and limits.
        table: The compiled decision table.
        sop_class: SOP Class UID, by which attribute types are resolved.
        special: What to do with single bulk elements: tag to a function from the old value to the
            new one, or to None when the element goes.
    """

    def __init__(
        self, ctx: Context, table: Table, sop_class: str, special: dict[int, Special]
    ) -> None:
        self.ctx = ctx
        self._table = table
        self._sop_class = sop_class
        self._special = special
        self._values = Values(ctx)
        self._codes = Codes(ctx)
        self._safe_private = Option.RETAIN_SAFE_PRIVATE in ctx.profile.options
        self._memos: dict[Level, dict[bytes, Decided]] = {}
        self._moulds = Moulds()
        self._plans: dict[tuple[int, bytes, int, bool, bool, str], Plan] = {}
        self._runs: dict[tuple[Run, tuple[str, ...]], Decided] = {}
        self._private_memo: dict[tuple[str, tuple[str, ...], bytes], Decided] = {}

    def uid(self, uid: str) -> str:
        """Return the UID that stands for another in the outputs."""
        return self._values.uid(uid)

    def names_own(self, uid: str) -> bool:
        """Tell whether a number of the person's stands in a UID, so that it is never kept."""
        return self._values.own.uid(uid)

    def top(
        self, data: Buffer, segments: Sequence[Element | Run], level: Level, budget: Budget
    ) -> tuple[list[bytes], list[Decided]]:
        """Like ``level`` for the top of a data set, where known runs stand for many elements.

        A run holds private groups whole, so it is decided as if it stood alone.
        """
        out: list[bytes] = []
        done: list[Decided] = []
        singles: list[Element] = []
        charset = level.charset.terms
        for segment in segments:
            if not isinstance(segment, Run):
                singles.append(segment)
                continue
            if singles:
                kept, acts = self.level(data, singles, level, budget)
                out += kept
                done += acts
                singles = []
            known = self._runs.get((segment, charset))
            if known is None:
                if len(self._runs) > _MEMO_ENTRIES:
                    self._runs.clear()
                kept, acts = self.level(segment.raw, segment.elements, level, budget)
                entries = tuple(entry for each in acts for entry in each.entries)
                known = Decided(b"".join(kept), entries)
                self._runs[segment, charset] = known
            out.append(known.out or b"")
            if known.entries:
                done.append(known)
        if singles:
            kept, acts = self.level(data, singles, level, budget)
            out += kept
            done += acts
        return out, done

    def level(
        self, data: Buffer, elements: list[Element], level: Level, budget: Budget
    ) -> tuple[list[bytes], list[Decided]]:
        """Return the encoded elements that remain of one data set or item, and what was done.

        Args:
            data: The buffer the offsets of ``elements`` lead into.
            elements: In ascending order of their tags, as ``enter`` leaves them.
            level: Where this is.
            budget: What is left of the object's limits.
        """
        out: list[bytes] = []
        done: list[Decided] = []
        memo = self._memo(level)
        blocks: dict[int, Block] = {}
        last = -1
        for element in elements:
            tag, _vr, start, _value, _value_stop, stop = element
            if tag == last:
                done.append(Decided(None, ((place(tag), "a tag that stands twice", "remove", ""),)))
                continue
            last = tag
            if tag & 0x10000:
                self._private(data, element, level, blocks, out, done)
                continue
            if stop - start > _MEMO_BYTES:
                decided = self._decide(data, element, level, budget)
            else:
                raw = data[start:stop]
                found = memo.get(raw)
                if found is None:
                    found = memo[raw] = self._decide(data, element, level, budget)
                decided = found
            if decided.out is not None:
                out.append(decided.out)
            if decided.entries:
                done.append(decided)
        return out, done

    def _memo(self, level: Level) -> dict[bytes, Decided]:
        memo = self._memos.get(level)
        if memo is None:
            memo = self._memos[level] = {}
        elif len(memo) > _MEMO_ENTRIES:
            memo.clear()
        return memo

    @staticmethod
    def enter(data: Buffer, elements: list[Element], level: Level) -> Level:
        """Sort the elements and read what governs their neighbours: character set and scheme."""
        elements.sort()  # nearly always sorted already: one pass, and the start breaks ties
        for tag, _vr, _start, value, value_stop, _stop in elements:
            if tag == CHARSET:
                charset = charset_of(data[value:value_stop])
                if charset is not level.charset:
                    level = level._replace(charset=charset)
            elif tag == SCHEME:
                raw = data[value : min(value_stop, value + 64)]
                return level._replace(scheme=raw.decode("ascii", "replace").strip(" \0"))
            elif tag > SCHEME:
                break
        return level

    def _decide(self, data: Buffer, element: Element, level: Level, budget: Budget) -> Decided:
        tag, vr, start, value, value_stop, stop = element
        key = (tag, vr, level.parent, value_stop - value > TABLE_BYTES, level.dummy, level.fact)
        plan = self._plans.get(key) or self._plan(key, level)
        real, rule, own = plan
        if rule.act is Act.REMOVE:
            if not tag & 0xFFFF:
                return Decided(None)  # group lengths say nothing that the elements do not
            return self._remove(data, element, rule.source)
        if real == b"SQ":
            walk = partial(self._sequence, data, element, level, rule, budget)
            if level.depth or stop - start > MOST_BYTES:
                return walk()
            alike = (level, tag, vr, stop - start)
            uid = partial(self._uid, budget=budget)
            return self._moulds.decide(alike, data[start:stop], start, walk, uid)
        if not real or stop != value_stop:
            return self._remove(data, element, "a value representation that does not fit")
        if real == b"UI" and level.depth:
            self._moulds.note(element, level)
        known = self._known(data, element, level, real) if own else None
        return known or self._judge(data, element, level, real, rule)

    def _plan(self, key: tuple[int, bytes, int, bool, bool, str], level: Level) -> Plan:
        """Return what is to be done about elements of one tag, VR and place, and remember it."""
        tag, vr, _parent, table, _dummy, fact = key
        entry = lookup(tag)
        real = b""
        if tag >> 16 in _NEVER or not tag & 0xFFFF:
            rule = Rule(act=Act.REMOVE, source="not part of the object")
        elif entry is None:
            rule = Rule(act=Act.REMOVE, source="not in the data dictionary")
        elif tag in _ELSEWHERE or (tag >> 24 == _PICTURES and tag not in BULK):
            rule = Rule(act=Act.REMOVE, source=_ELSEWHERE.get(tag, "retired pixel data"))
        else:
            real = real_vr(vr, entry.vr, table=table)
            rule = self._rule(tag, entry.vr, real, level)
            rule = concepts.rule_of(tag, fact, rule, self._table, self._sop_class)
            rule = as_read(rule, entry.vr, real)
        own = tag in self._special or tag in BULK or tag in CODE_TAGS
        own = own or (tag in concepts.AGES and rule.act is Act.AGE)
        if len(self._plans) > _MEMO_ENTRIES:
            self._plans.clear()
        plan = self._plans[key] = Plan(real, rule, own)
        return plan

    def _known(self, data: Buffer, element: Element, level: Level, real: bytes) -> Decided | None:
        """Decide the elements that have a way of their own; None for all others."""
        tag, _vr, start, value, value_stop, stop = element
        raw = data[value:value_stop]
        if tag in self._special:
            return self._replaced(element, level, raw, self._special[tag](raw), "rebuilt")
        if tag in BULK:
            big = level.walker.big
            if spells(raw, real, big=big) or self.ctx.subject.needles.matches_binary(raw):
                return self._remove(data, element, "bulk data that spells text")
            return Decided(data[start:stop])
        if tag in CODE_TAGS and not level.dummy:
            new = self._codes.value(tag, raw, level.scheme, level.charset)
            if new is not None:
                return self._replaced(element, level, raw, new, "coded entry")
        if tag in concepts.AGES:
            new = concepts.capped(tag, raw, level.most, level.charset)
            if new != raw:
                vr = concepts.AGES[tag]
                out = self._values.verdict(tag, vr, new, _OUTSIDE, level.charset).out
                return self._replaced(element, level, raw, out, "an age of 90 years or more")
        return None

    def _judge(
        self, data: Buffer, element: Element, level: Level, real: bytes, rule: Rule
    ) -> Decided:
        tag, vr, start, value, value_stop, stop = element
        raw = data[value:value_stop]
        verdict = self._values.verdict(tag, real, raw, rule, level.charset, big=level.walker.big)
        if verdict.out is None:
            return self._remove(data, element, verdict.rule)
        if not verdict.action:
            return Decided(data[start:stop])
        new_entry = (place(tag), verdict.rule, verdict.action, self.ctx.key.digest(raw))
        return Decided(encode_element(level.walker, tag, vr, verdict.out), (new_entry,))

    def _rule(self, tag: int, dictionary_vr: str, real: bytes, level: Level) -> Rule:
        table, sop_class, parent = self._table, self._sop_class, level.parent
        rule = table.rule(tag, sop_class=sop_class, parent=parent)
        if rule is None:
            vr = real.decode("ascii") if " or " in dictionary_vr else dictionary_vr
            rule = table.default_rule(vr, tag=tag, sop_class=sop_class, parent=parent)
            if level.dummy and (rule is None or rule.act is Act.CLEAN):
                rule = _INSIDE_DUMMY if real in _WORDS else rule
        return rule or _OUTSIDE

    def _remove(self, data: Buffer, element: Element, rule: str) -> Decided:
        digest = self.ctx.key.digest(data[element[3] : element[4]])
        return Decided(None, ((place(element[0]), rule, "remove", digest),))

    def _replaced(
        self, element: Element, level: Level, old: bytes, new: bytes | None, rule: str
    ) -> Decided:
        tag, vr = element[:2]
        if new is None:
            return Decided(None, ((place(tag), rule, "remove", self.ctx.key.digest(old)),))
        encoded = encode_element(level.walker, tag, vr, new)
        if new == old:
            return Decided(encoded)
        return Decided(encoded, ((place(tag), rule, "replace", self.ctx.key.digest(old)),))

    def _uid(self, raw: bytes, element: Element, level: Level, *, budget: Budget) -> Decided:
        """Decide one UID that stands in a sequence."""
        memo = self._memo(level)
        found = memo.get(raw[element[2] : element[5]])
        if found is None:
            found = memo[raw[element[2] : element[5]]] = self._decide(raw, element, level, budget)
        return found

    def _sequence(
        self, data: Buffer, element: Element, level: Level, rule: Rule, budget: Budget
    ) -> Decided:
        """Enter a sequence; it comes out with defined lengths throughout."""
        tag, vr, _start, value, value_stop, _stop = element
        here = place(tag)
        if rule.act is Act.EMPTY:
            if value == value_stop:
                return Decided(encode_element(level.walker, tag, vr, b""))
            digest = self.ctx.key.digest(data[value:value_stop])
            emptied = encode_element(level.walker, tag, vr, b"")
            return Decided(emptied, ((here, rule.source, "empty", digest),))
        if level.depth >= self.ctx.limits.depth_write:
            raise LimitExceededError(
                f"sequences nested deeper than {self.ctx.limits.depth_write} (limit depth_write)"
            )
        unknown = vr == b"UN"
        walker = UNKNOWN_SEQUENCE if unknown else level.walker
        dummy = level.dummy or rule.act is Act.DUMMY
        inner = Level(tag, level.charset, walker, level.depth + 1, dummy=dummy)
        out: list[bytes] = []
        entries: list[Entry] = []
        for number, (start, stop) in enumerate(
            walker.items(data, value, value_stop, budget, level.depth)
        ):
            elements = walker.elements(data, start, stop, budget, depth=inner.depth)
            entered = self.enter(data, elements, inner)
            if elements and elements[-1][0] > concepts.CONCEPT_NAME:
                entered = concepts.inside(data, elements, entered, level, budget)
            kept, done = self.level(data, elements, entered, budget)
            out.append(encode_item(walker, b"".join(kept)))
            entries += [
                (f"{here}[{number}].{at}", why, action, digest)
                for decided in done
                for at, why, action, digest in decided.entries
            ]
        return Decided(encode_sequence(level.walker, tag, vr, out), entries)

    def _private(
        self,
        data: Buffer,
        element: Element,
        level: Level,
        blocks: dict[int, Block],
        out: list[bytes],
        done: list[Decided],
    ) -> None:
        """Keep a private element only if its creator's documentation calls it safe."""
        tag, vr, start, value, value_stop, stop = element
        low = tag & 0xFFFF
        high = tag >> 16 << 8
        if 0x10 <= low <= 0xFF and value_stop - value <= 64:  # noqa: PLR2004 - PS3.5 7.8.1
            name = data[value:value_stop].decode("latin-1").strip(" \0")
            out.append(b"")  # until an element of the block stays
            blocks[high | low] = Block(name, len(out) - 1, tag, vr)
            return
        block = blocks.get(high | low >> 8)
        raw = data[start:stop]
        key = (block.name if block else "", level.charset.terms, raw)
        decided = self._private_memo.get(key)
        if decided is None:
            decided = self._decide_private(data, element, level, block)
            if len(raw) <= _MEMO_BYTES:
                if len(self._private_memo) > _MEMO_ENTRIES:
                    self._private_memo.clear()
                self._private_memo[key] = decided
        if decided.entries:
            done.append(decided)
        if decided.out is None or block is None:
            return
        if not out[block.slot]:
            name_bytes = block.name.encode("latin-1")
            name_bytes += b" " * (len(name_bytes) % 2)
            creator_vr = block.vr and b"LO"
            out[block.slot] = encode_element(level.walker, block.tag, creator_vr, name_bytes)
        out.append(decided.out)

    def _decide_private(
        self, data: Buffer, element: Element, level: Level, block: Block | None
    ) -> Decided:
        tag, vr, start, value, value_stop, stop = element
        safe = None
        if block is not None and self._safe_private and stop == value_stop:
            safe = private.lookup(block.name, tag >> 16, tag & 0xFF)
        if safe is None:
            return self._remove(data, element, "private, not known to be safe")
        raw = data[value:value_stop]
        real = real_vr(vr, safe.vr, table=len(raw) > TABLE_BYTES)
        if not real:
            return self._remove(data, element, "a value representation that does not fit")
        verdict = self._values.verdict(
            tag, real, raw, _SAFE_PRIVATE, level.charset, big=level.walker.big
        )
        if verdict.out is None:
            return self._remove(data, element, verdict.rule)
        if not verdict.action:
            return Decided(data[start:stop])
        changed = (place(tag), verdict.rule, verdict.action, self.ctx.key.digest(raw))
        return Decided(encode_element(level.walker, tag, vr, verdict.out), (changed,))


_INSIDE_DUMMY: Final = Rule(act=Act.DUMMY, source="text in a sequence that identifies")
_WORDS: Final = frozenset((b"AE", b"CS", b"LO", b"LT", b"SH", b"ST", b"UC", b"UT"))
_OUTSIDE: Final = Rule(act=Act.CLEAN, source="text outside E.1-1")
_SAFE_PRIVATE: Final = Rule(act=Act.CLEAN, source="private, known to be safe")
