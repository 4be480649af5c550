"""Write the hashes of its own script and style into the verifier page's policy.

Run after an edit of ``src/safelight/tlog/pages/verify.html``; a test compares.
"""

import base64
import hashlib
import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "src/safelight/tlog/pages/verify.html"


def sealed(page: str) -> str:
    """Return the page with the policy that fits it (CSP Level 3, hash sources)."""
    for tag in ("script", "style"):
        found = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        if found is None:
            raise ValueError(tag)
        digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
        page = re.sub(rf"{tag}-src 'sha256-[^']*'", f"{tag}-src 'sha256-{digest}'", page)
    return page


if __name__ == "__main__":
    PAGE.write_text(sealed(PAGE.read_text("utf-8")), "utf-8")
    print(PAGE)
