"""Before and after, for whoever may see the originals: a private folder of pictures and a page.

Nothing of it lies in the output. The folder and its files can be read by their owner alone.
"""

import os
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Final

from safelight.errors import OutputError
from safelight.pipeline.store import failed
from safelight.pipeline.targets import lies_in

if TYPE_CHECKING:
    from safelight.deid.showing import Show

__all__ = ["Album"]

_PAGE: Final = "index.html"
_SHOWN: Final = 500  # pictures that the page shows; all lie in the folder
_SHOWN_AS: Final = (
    ("before", "before"),
    ("after", "after"),
    ("surface", "the head of its series, before and after"),
)
_HEAD: Final = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'">
<title>Before and after</title><style>
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:72rem;margin:0 auto;padding:1rem}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(16rem,1fr));gap:1rem}
figure{margin:0}img{max-width:100%;background:#000}figcaption{font-size:.875rem}
.warn{border-inline-start:.3rem solid #d62728;padding-inline-start:.8rem}
code{font-size:.875rem}</style>
"""


class Album:
    """Writes pictures below one folder.

    Args:
        folder: Made if absent, readable by its owner alone.
        out: The output folder, which must not hold it.
        sources: What is read; it must not lie in them, nor hold them.

    Raises:
        OutputError: It lies in the output or a source, holds a page of somebody else, or cannot
            be made.
    """

    def __init__(self, folder: str, out: str, sources: Sequence[str]) -> None:
        self.folder = os.path.realpath(folder)
        inside = os.path.realpath(out)
        if self.folder == inside or self.folder.startswith(inside + os.sep):
            raise OutputError(
                "pictures from before would lie in the output folder",
                kept="nothing was changed",
                todo="name a folder outside of the output; they show who is in them",
            )
        if lies_in(folder, sources) or any(lies_in(each, [folder]) for each in sources):
            raise OutputError(
                "the folder for pictures and a source lie in each other",
                kept="nothing was read or written",
                todo="name a folder outside of every source",
            )
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            if not self._own():
                raise OutputError(
                    f"the folder for pictures holds another {_PAGE}",
                    kept="it is as it was; nothing was read or written",
                    todo="name a new or empty folder",
                )
        except OSError as error:
            raise failed(error) from error

    def _own(self) -> bool:
        """Return whether the page in the folder, if any, was made here."""
        try:
            with open(os.path.join(self.folder, _PAGE), "rb") as file:
                return file.read(len(_HEAD.encode())) == _HEAD.encode()
        except FileNotFoundError:
            return True

    def show(self, code: str) -> "Show":
        """Return what writes the pictures of one input."""

        def write(when: str, png: bytes) -> None:
            path = os.path.join(self.folder, f"{code}-{when}.png")
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(png)
            except OSError as error:
                raise failed(error) from error

        return write

    def finish(self) -> str:
        """Write the page over all pictures in the folder; return its path."""
        try:
            names = set(os.listdir(self.folder))
            codes = sorted({name.rpartition("-")[0] for name in names if name.endswith(".png")})
            body = "".join(_pair(code, names) for code in codes[:_SHOWN])
            more = f"<p>{len(codes) - _SHOWN} more lie in this folder.</p>"
            page = (
                f"{_HEAD}<h1>Before and after</h1>"
                '<p class="warn">The pictures on the left show what was taken out. They are for '
                "whoever may see the originals; delete this folder when they have been looked at."
                "</p><p>Red was masked, green stays because it is proven harmless, yellow waits "
                "for a person. An input without a picture on the right was not let out.</p>"
                f"{body}{more if len(codes) > _SHOWN else ''}</html>\n"
            )
            path = os.path.join(self.folder, _PAGE)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(page)
        except OSError as error:
            raise failed(error) from error
        return path


def _pair(code: str, names: set[str]) -> str:
    figures = "".join(
        f'<figure><img loading="lazy" src="{escape(code)}-{when}.png" alt="{words}">'
        f"<figcaption>{words}</figcaption></figure>"
        for when, words in _SHOWN_AS
        if f"{code}-{when}.png" in names
    )
    return f'<h2><code>{escape(code)}</code></h2><div class="pair">{figures}</div>'
