"""The raw sweep: does any of a person's byte patterns stand anywhere in these bytes?

Vectorscan (through ``hyperscan``) looks for all patterns at once at several gigabytes a second.
Where it is not to be had, or not worth compiling for a few kilobytes, plain Python looks for one
after the other. Both ignore the case of ASCII letters and find the same.
"""

from typing import Any, Final

__all__ = ["Sweep"]

_COMPILE_AFTER: Final = 1 << 17  # bytes swept in plain Python before compiling pays
_PIXEL_PATTERN: Final = 7  # bytes: shorter patterns occur by chance in pixels


class Sweep:
    """Searches byte runs for one person's patterns.

    Args:
        patterns: Lower case where ASCII.
    """

    __slots__ = ("_database", "_long", "_patterns", "_scratch", "_shortest", "_swept", "longest")

    def __init__(self, patterns: tuple[bytes, ...]) -> None:
        long = {_core(pattern) for pattern in patterns if len(pattern) >= _PIXEL_PATTERN}
        short = {pattern for pattern in patterns if len(pattern) < _PIXEL_PATTERN} - long
        self._patterns = (*sorted(long), *sorted(short))
        self._long = len(long)
        sizes = [len(pattern) for pattern in self._patterns]
        self.longest = max(sizes, default=0)
        self._shortest = min(sizes, default=0)
        self._swept = 0
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
        low = bytes(data).lower()
        return any(pattern in low for pattern in self._patterns[:count])

    def _compile(self) -> None:
        try:
            import hyperscan  # noqa: PLC0415 - start-up cost, and absent on some platforms
        except ImportError:
            self._database = False
            return
        count = len(self._patterns)
        expressions = [
            "".join(f"\\x{byte:02x}" for byte in pattern).encode() for pattern in self._patterns
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

        def stop(number: int, *_where: object) -> bool:
            if number < count:
                found.append(number)
            return bool(found)  # true ends the scan

        try:
            self._database.scan(data, match_event_handler=stop, scratch=self._scratch)
        except Exception as error:
            if type(error).__name__ != "ScanTerminated":
                raise
        return bool(found)


def _core(pattern: bytes) -> bytes:
    """Return what the UTF-16 forms of a value share: ``r0o0e`` of ``r0o0e0`` and of ``0r0o0e``.

    It stands wherever either of them does, and one pattern is found faster than two.
    """
    if not pattern[-1]:
        return pattern[:-1]
    return pattern if pattern[0] else pattern[1:]
