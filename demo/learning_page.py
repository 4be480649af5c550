"""The page that tells the story of the demo of learning; one file, no script, nothing fetched."""

import base64
import html
import io
from collections.abc import Sequence

from PIL import Image

from learning_pictures import Picture

__all__ = ["page"]

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Taught, and forgotten</title>
<meta name="viewport" content="width=device-width"><style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem;
  color: #1c2024; background: #fbfaf8 }
h1 { font-size: 1.6rem } dt { font-weight: 600; margin-top: 1rem }
dd { margin: 0; overflow-wrap: anywhere } figure { display: inline-block; margin: 0 .5rem .5rem 0 }
img { border-radius: .25rem } .yes { color: #14532d } .no { color: #991b1b }
</style></head><body>
"""


def _figure(one: Picture) -> str:
    out = io.BytesIO()
    Image.fromarray(one.pixels).save(out, "PNG")
    data = base64.b64encode(out.getvalue()).decode()
    told = "with an opacity" if one.has_it else "without"
    return (
        f'<figure><img width="104" height="104" alt="a drawn chest {told}"'
        f' src="data:image/png;base64,{data}"><figcaption>{told}</figcaption></figure>'
    )


def page(steps: Sequence[tuple[str, str]], some: Sequence[Picture], holds: bool) -> str:  # noqa: FBT001  # the one outcome
    """Return the page.

    Args:
        steps: Title and text of each step.
        some: Pictures to show.
        holds: Whether everything that was checked holds.
    """
    listed = "\n".join(
        f"<dt>{html.escape(title)}</dt><dd>{html.escape(text)}</dd>" for title, text in steps
    )
    word = "Everything that was checked holds." if holds else "Something does not hold."
    return (
        f"{_HEAD}<h1>Taught, and forgotten</h1>\n"
        "<p>Sixty invented people give drawn pictures, three clinicians say where the reader is"
        " right, two people take it back. Check a receipt with"
        " <code>safelight receipt verify receipt-1.json</code>.</p>\n"
        f"<div>{''.join(_figure(one) for one in some)}</div>\n<dl>\n{listed}\n</dl>\n"
        f'<p class="{"yes" if holds else "no"}"><strong>{word}</strong></p>\n</body></html>\n'
    )
