"""The raw sweep: does any of a person's byte patterns stand anywhere in these bytes?

Vectorscan (through ``hyperscan``) looks for all patterns at once at several gigabytes a second.
Where it is not to be had, or not worth compiling for a few kilobytes, plain Python looks for one
after the other. Both ignore the case of ASCII letters and find the same.
"""

from collections.abc import Sequence
from typing import Any, Final

__all__ = ["Sweep"]

_COMPILE_AFTER: Final = 1 << 17  # bytes swept in plain Python before compiling pays
_PIXEL_PATTERN: Final = 7  # bytes: shorter patterns occur by chance in pixels
_BEGIN: Final = 12  # bytes of a pattern that are compiled: half the time that all of it takes


class Sweep:
    """Searches byte runs for one person's patterns.

    Args:
        patterns: Lower case where ASCII.
    """

    __slots__ = (
        "_begins",
        "_database",
        "_long",
        "_patterns",
        "_scratch",
        "_shortest",
        "_swept",
        "longest",
    )

    def __init__(self, patterns: tuple[bytes, ...]) -> None:
        long = {_core(pattern) for pattern in patterns if len(pattern) >= _PIXEL_PATTERN}
        short = {pattern for pattern in patterns if len(pattern) < _PIXEL_PATTERN} - long
        self._patterns = (*sorted(long), *sorted(short))
        self._long = len(long)
        sizes = [len(pattern) for pattern in self._patterns]
        self.longest = max(sizes, default=0)
        self._shortest = min(sizes, default=0)
        self._swept = 0
        # What is compiled, with the patterns that begin so; long ones first, as in the patterns.
        self._begins: dict[bytes, list[bytes]] = {}
        self._database: Any = None
        self._scratch: Any = None

    def hits(self, data: bytes | memoryview, *, pixels: bool = False) -> bool:
        """Tell whether any pattern stands in the bytes.

        Args:
            data: The bytes.
            pixels: They are pixels: leave out patterns so short that they occur there by chance.
        """
        count = self._long if pixels else len(self._patterns)
        if not count or len(data) < self._shortest:
            return False
        self._swept += len(data)
        if self._database is None and self._swept > _COMPILE_AFTER:
            self._compile()
        if self._database:
            return self._scan(data, count)
        return _within(data, self._patterns[:count])

    def _compile(self) -> None:
        try:
            import hyperscan  # noqa: PLC0415 - start-up cost, and absent on some platforms
        except ImportError:
            self._database = False
            return
        for pattern in self._patterns:
            self._begins.setdefault(pattern[:_BEGIN], []).append(pattern)
        count = len(self._begins)
        expressions = [
            "".join(f"\\x{byte:02x}" for byte in begin).encode() for begin in self._begins
        ]
        flags = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        database.compile(
            expressions=expressions, ids=list(range(count)), elements=count, flags=[flags] * count
        )
        self._scratch = hyperscan.Scratch(database)
        self._database = database

    def _scan(self, data: bytes | memoryview, count: int) -> bool:
        found: list[int] = []

        def note(number: int, *_where: object) -> None:
            found.append(number)

        self._database.scan(data, match_event_handler=note, scratch=self._scratch)
        if not found:
            return False
        wanted = set(self._patterns[:count])
        begun = list(self._begins.values())
        perhaps = [each for at in found for each in begun[at] if each in wanted]
        return bool(perhaps) and _within(data, perhaps)


def _within(data: bytes | memoryview, patterns: Sequence[bytes]) -> bool:
    low = bytes(data).lower()
    return any(pattern in low for pattern in patterns)


def _core(pattern: bytes) -> bytes:
    """Return what the UTF-16 forms of a value share: ``r0o0e`` of ``r0o0e0`` and of ``0r0o0e``.

    It stands wherever either of them does, and one pattern is found faster than two.
    """
    if not pattern[-1]:
        return pattern[:-1]
    return pattern if pattern[0] else pattern[1:]
