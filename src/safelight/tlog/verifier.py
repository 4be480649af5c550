"""Check a Safelight receipt with this file alone: ``python verifier.py FILE [FINGERPRINT]``."""

import base64
import hashlib
import html
import json
import re
import sys
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class RefusedError(ValueError):
    """The receipt does not hold; the text says why."""


def need(condition: object, why: str) -> None:
    """Refuse unless the condition is true."""
    if not condition:
        raise RefusedError(why)


def canonical(value: Any) -> str:
    """Return canonical JSON (RFC 8785, whole numbers only)."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return f"{{{','.join(canonical(one) + ':' + canonical(value[one]) for one in names)}}}"
    if isinstance(value, list):
        return f"[{','.join(canonical(one) for one in value)}]"
    whole = isinstance(value, int) and abs(value) < 1 << 53
    need(whole or value is None or isinstance(value, str), "a number is not whole")
    return json.dumps(value, ensure_ascii=False)


def bits(text: str) -> bytes:
    """Return the bytes of base64, which has one spelling only."""
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "a value is not written as it was made")
    return data


def root_of(result: bytes, node: int, size: int, path: list[bytes]) -> bytes:
    """Return the root that an inclusion proof leads to from a leaf (RFC 9162, 2.1.3.2)."""
    need(0 <= node < size, "the entry is not in the tree")
    last = size - 1
    for one in path:
        right = node & 1 or node == last
        result = hashlib.sha256(b"\1" + (one + result if right else result + one)).digest()
        while right and not node & 1 and node:
            node, last = node >> 1, last >> 1
        need(last, "the proof is too long")
        node, last = node >> 1, last >> 1
    need(last == 0, "the proof is too short")
    return result


def signer(line: str, body: str, vkey: str, use: int) -> tuple[str, str]:
    """Check a line of a C2SP note, signed (1) or cosigned (4); return name and fingerprint."""
    (name, known, key), (dash, by, data) = vkey.split("+", 2), line.split(" ")
    key_id = hashlib.sha256(f"{name}\n".encode() + bits(key)).digest()[:4]
    need(bits(key)[0] == use and key_id.hex() == known, "a key is not what its line says")
    need((dash, by, bits(data)[:4]) == ("\u2014", name, key_id), "somebody else signed")
    stamp, value = bits(data)[4:-64], bits(data)[-64:]
    time = f"cosignature/v1\ntime {int.from_bytes(stamp, 'big')}\n" if use - 1 else ""
    need(len(stamp) == (8 if use - 1 else 0), "a signature has another length")
    Ed25519PublicKey.from_public_bytes(bits(key)[1:]).verify(value, (time + body).encode())
    return name, hashlib.sha256(bits(key)[1:]).hexdigest()


def verify(data: bytes, trusted: str = "") -> dict[str, Any]:
    """Return the receipt (JSON, or its page); any change to it raises ``RefusedError``."""
    try:
        page = re.search(r'<pre id="receipt"[^>]*>([^<]+)</pre>', text := data.decode())
        told = json.loads(text := html.unescape(page[1]) if page else text.removesuffix("\n"))
        need(canonical(told) == text, "the JSON is not as it was made")
        need(" ".join(told) == "format leaf log proof salt witnesses", "other parts than a receipt")
        need(isinstance(told["witnesses"], list), "witnesses are no list")
        need(told["format"] == "safelight-receipt/v1", "another kind of receipt")
        need(told["leaf"]["format"] == "safelight-leaf/v1", "another kind of entry")
        head, body, end = told["proof"].split("\n\n")
        (kind, place, *path), (origin, size, root) = head.split("\n"), body.split("\n")
        index, salt = int(place.removeprefix("index ")), bytes.fromhex(told["salt"])
        need(
            kind == "c2sp.org/tlog-proof@v1" and place == f"index {index}", "another kind of proof"
        )
        need(
            salt.hex() == told["salt"] and size == str(int(size)), "a number is not as it was made"
        )
        need(len(salt) == 32 and end[-1:] == "\n", "a part is cut")  # noqa: PLR2004  # bytes
        entry = hashlib.sha256(salt + canonical(told["leaf"]).encode()).digest()
        top = root_of(hashlib.sha256(b"\0" + entry).digest(), index, int(size), [*map(bits, path)])
        need(top == bits(root), "the entry is not in the log that was signed")
        keys = [(told["log"]["key"], 1), *((key, 4) for key in told["witnesses"])]
        lines = zip(end[:-1].split("\n"), keys, strict=True)
        by = [signer(line, body + "\n", *key) for line, key in lines]
        need(told["log"] == {"fingerprint": by[0][1], "key": keys[0][0]}, "another fingerprint")
        need(by[0][0] == origin, "another log's key")
        need(trusted == "" or re.sub(r"[\s:]", "", trusted).lower() == by[0][1], "an unknown key")
    except (ArithmeticError, AttributeError, InvalidSignature, LookupError, TypeError) as error:
        raise RefusedError("a signature does not hold, or a part is not what it was") from error
    except (RecursionError, ValueError) as error:
        raise RefusedError(str(error) if isinstance(error, RefusedError) else "damaged") from error
    return {
        **told,
        "index": index,
        "origin": origin,
        "signers": [one for one, _ in by],
        "size": int(size),
    }


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        found = verify(file.read(), *sys.argv[2:3])
    sys.stdout.write(f"holds: {found['leaf']['kind']}, {found['leaf']['time']}, {found['log']}\n")
