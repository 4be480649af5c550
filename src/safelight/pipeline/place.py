"""The folder ``_safelight`` of an output: taken by one run at a time, and told whose it is."""

import json
import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Self

from safelight.errors import OutputError, SettingsError
from safelight.pipeline.ledger import MANIFEST, SHARD, Ledger
from safelight.pipeline.store import HOUSE, failed, remove_leftovers
from safelight.types import Status

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from safelight.deid.pseudonyms import ProjectKey

__all__ = ["RUN", "Place", "is_ours", "public_key", "read_run", "run_signature_holds", "sign_run"]

RUN: Final = "run.json"
_LOCK: Final = ".lock"  # held while a run writes; empty
_MARKER: Final = ".unfinished"  # there while a run has begun and not ended
_TELLING: Final = frozenset(
    {MANIFEST, RUN, _LOCK, _MARKER, "report.html", "report.json", "report.csv"}
    | {f"{status.value}.jsonl" for status in (Status.REVIEW, Status.QUARANTINE)}
)
_NEW: Final = ".new"  # ends the name of a file that is being written
_WAIT_SECONDS: Final = 10.0  # for the workers of a run that was killed a moment ago


class Place:
    """One output folder, while a run writes to it.

    Args:
        out: The output folder; made if absent.
        key: The project key.
        sources: What the run reads, as real paths.
        force: Go on although OUT was made from other sources.

    Raises:
        OutputError: It cannot be made, or another run writes there.
        SettingsError: It was made with another key, or from other sources.
    """

    def __init__(self, out: str, key: "ProjectKey", sources: Sequence[str], *, force: bool) -> None:
        self.out = os.path.realpath(out)
        self.house = os.path.join(self.out, HOUSE)
        self.ledger = Ledger(self.house)
        self.origin = [
            key.digest(b"source\0" + os.fsencode(os.path.realpath(source))) for source in sources
        ]
        self._lock = -1
        self._marker = os.path.join(self.house, _MARKER)
        try:
            os.makedirs(self.house, exist_ok=True)
        except OSError as error:
            raise failed(error) from error
        self._take()
        try:
            self._check(key, force=force)
            if os.path.exists(self._marker):
                remove_leftovers(self.out)
            with open(self._marker, "wb"):
                pass
            self.ledger.load()
        except OSError as error:
            self.close()
            raise failed(error) from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self) -> None:
        """Lock the folder; workers inherit the lock, so that it ends with the last of them."""
        try:
            import fcntl  # noqa: PLC0415  # not on every system
        except ImportError:
            return
        try:
            self._lock = os.open(
                os.path.join(self.house, _LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666
            )
        except OSError as error:
            raise failed(error) from error
        end = time.monotonic() + _WAIT_SECONDS
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > end:
                    self.close()
                    raise OutputError(
                        "another run is writing to this output folder",
                        kept="nothing was changed",
                        todo="wait until it has ended",
                    ) from None
                time.sleep(0.1)
            else:
                return

    def _check(self, key: "ProjectKey", *, force: bool) -> None:
        """Refuse an output that another key or other sources have made."""
        run = read_run(self.house)
        if not run:
            run = {"key": key.fingerprint, "sources": self.origin}  # signed when it has finished
            _replace(os.path.join(self.house, RUN), json.dumps(run).encode("ascii"))
        if run.get("key") != key.fingerprint:
            raise SettingsError(
                "this output folder was made with another project key",
                todo="give that key with --key, or choose another output folder",
            )
        if sorted(run.get("sources", [])) != sorted(self.origin) and not force:
            raise SettingsError(
                "this output folder was made from other sources",
                todo="choose another output folder; if the sources have only moved, add --force",
            )

    def put(self, name: str, data: bytes) -> None:
        """Write a file of the house, whole or not at all.

        Raises:
            OutputError: The system refused.
        """
        try:
            _replace(os.path.join(self.house, name), data)
        except OSError as error:
            raise failed(error) from error

    def finished(self) -> None:
        """Say that nothing is left to resume."""
        os.unlink(self._marker)

    def close(self) -> None:
        """Let other runs in."""
        self.ledger.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @property
    def manifest(self) -> str:
        """Return the path of the manifest."""
        return os.path.join(self.house, MANIFEST)


def is_ours(name: str) -> bool:
    """Tell whether a run writes a file of this name into the house."""
    return name.removesuffix(_NEW) in _TELLING or name.startswith(SHARD)


def _replace(path: str, data: bytes) -> None:
    temporary = path + _NEW
    try:
        with open(temporary, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def read_run(house: str) -> dict[str, Any]:
    """Return what ``run.json`` says; empty if there is none.

    Raises:
        OutputError: It is damaged.
    """
    try:
        with open(os.path.join(house, RUN), "rb") as file:
            value = json.loads(file.read())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise OutputError(
            "run.json of the output folder cannot be read",
            kept="nothing was changed",
            todo="restore it, or choose another output folder",
        ) from error
    if not _is_run(value):
        raise OutputError(
            "run.json of the output folder is damaged",
            kept="nothing was changed",
            todo="restore it, or choose another output folder",
        )
    return value  # type: ignore[no-any-return]  # a run, as was just seen


def _is_run(value: Any) -> bool:
    """Tell whether a value has the shape of a run, as far as anybody relies on it."""
    wanted = {"key": str, "sources": list, "profile": dict, "manifest": dict}
    return isinstance(value, dict) and all(
        isinstance(value.get(name, kind()), kind) for name, kind in wanted.items()
    )


def canonical(run: dict[str, Any]) -> bytes:
    """Return the bytes that are signed: sorted keys, no spaces, without the signature."""
    body = {name: value for name, value in run.items() if name != "signature"}
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode("ascii")


def public_key(key: "ProjectKey") -> str:
    """Return the public half of what a key signs runs with, hex."""
    return _signer(key).public_key().public_bytes_raw().hex()


def sign_run(run: dict[str, Any], key: "ProjectKey") -> bytes:
    """Return ``run.json``: the run with the public key and an Ed25519 signature (RFC 8032)."""
    run["public_key"] = public_key(key)
    run["signature"] = _signer(key).sign(canonical(run)).hex()
    return json.dumps(run, indent=1, sort_keys=True).encode("ascii") + b"\n"


def _signer(key: "ProjectKey") -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415  # as above
        Ed25519PrivateKey,
    )

    return Ed25519PrivateKey.from_private_bytes(key.signing_seed())


def run_signature_holds(run: dict[str, Any]) -> bool:
    """Tell whether ``run.json`` is as it was signed, by the public key it names."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  # start-up cost
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415  # as above
        Ed25519PublicKey,
    )

    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(str(run["public_key"])))
        public.verify(bytes.fromhex(str(run["signature"])), canonical(run))
    except (InvalidSignature, KeyError, ValueError):
        return False
    return True
