"""Clean mutants of pydicom's files; print where the walk came from, then how each mutant ends.

Run in a process of its own: ``python mutants_child.py COUNT``. A compiled module that fails would
end the process with a signal.
"""

import hashlib
import random
import sys
from pathlib import Path

import pydicom

from safelight.deid import profile, walk
from safelight.deid.engine import Engine
from safelight.deid.pseudonyms import ProjectKey
from safelight.errors import SafelightError
from safelight.types import Kind, Original

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
HEADER = 6000  # bytes: most of what is mutated lies before the pixels
LARGEST = 200_000


def mutant(data: bytes, chance: random.Random) -> bytes:
    """Return the bytes with one to six places changed, doubled, taken out or cut off."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 6))):
        at = chance.randrange(132, max(133, min(len(out), HEADER)))
        many = chance.choice((1, 1, 2, 4, 8, 40))
        how = chance.randrange(5)
        if how == 0:
            out[at : at + many] = chance.randbytes(many)
        elif how == 1:
            out[at:at] = out[at : at + many]
        elif how == 2:
            del out[at : at + many]
        elif how == 3:
            out[at : at + 1] = bytes([chance.choice((0, 1, 0x7F, 0xFE, 0xFF))])
        elif chance.random() < 0.2:
            del out[at:]
    return bytes(out)


def end_of(engine: Engine, data: bytes) -> str:
    """Return how cleaning ends: the error's kind and words, or the digests of what came out."""
    try:
        original = Original(data, kind=Kind.DICOM)
        clean = engine.deidentify(original, engine.subject([engine.survey(original)]))
    except SafelightError as error:
        return f"{type(error).__name__} {error}"
    except Exception as error:  # noqa: BLE001  # a run turns these into quarantine; alike, then
        return type(error).__name__
    return f"{clean.digest} {hashlib.sha256(clean.manifest).hexdigest()}"


def main() -> None:
    """Print one line a mutant."""
    chance = random.Random(20261123)  # noqa: S311  # the same mutants every time
    files = [path.read_bytes() for path in sorted(FOLDER.rglob("*.dcm"))]
    files = [data for data in files if len(data) < LARGEST]
    engine = Engine(key=ProjectKey(b"m" * 32), profile=profile.load("share"), pixels=False)
    ends = [end_of(engine, mutant(chance.choice(files), chance)) for _ in range(int(sys.argv[1]))]
    sys.stdout.write("\n".join([walk.__file__, *ends]))


if __name__ == "__main__":
    main()
