"""Sites, rounds and rows that the tests of federation share."""

import ipaddress
import os
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safelight.errors import SafelightError
from safelight.learning.federated import Coordinator, Plan, Site
from safelight.learning.federated.site import Carrier
from safelight.readers.statistics import Statistics

CLASSES = ("not seen", "seen")
Noted = list[tuple[str, Mapping[str, Any]]]


def rows(seed: int, count: int, width: int) -> Statistics:
    """Return the sums of random rows."""
    rng = np.random.default_rng(seed)
    features = rng.integers(-2047, 2048, (count, width)).astype(np.int16)
    labels = [CLASSES[n] for n in rng.integers(0, 2, count)]
    return Statistics.empty("test-1", CLASSES, width).add(features, labels)


class Round:
    """A round with its sites, their keys and their rows; unequal, as sites are."""

    def __init__(self, sites: int, *, width: int = 8, **plan: Any) -> None:
        self.keys = {f"site-{n:02}": Ed25519PrivateKey.generate() for n in range(sites)}
        public = {
            name: key.public_key().public_bytes_raw().hex() for name, key in self.keys.items()
        }
        self.plan = Plan.new(
            head="chest-opacity",
            features="test-1",
            classes=CLASSES,
            width=width,
            sites=public,
            **{"seconds": 20.0} | plan,
        )
        self.sums = {name: rows(n, 20 + 37 * n, width) for n, name in enumerate(self.keys)}
        self.noted: Noted = []
        self.coordinator = Coordinator(self.plan, note=self.note)
        self.digests: dict[str, str] = {}
        self.errors: dict[str, SafelightError] = {}

    def note(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Keep what is logged."""
        self.noted.append((kind, fields))

    def central(self, *without: str) -> Statistics:
        """Return the sums of all rows in one place."""
        total = self.plan.empty()
        for name, one in self.sums.items():
            if name not in without:
                total = total + one
        return total

    def site(self, name: str, carrier: Carrier | None = None) -> Site:
        """Return a site's agent."""
        return Site(
            self.plan,
            name,
            self.keys[name],
            carrier or self.coordinator,
            note=self.note,
            sleep=lambda _: threading.Event().wait(0.002) and None,
        )

    def run(self, carriers: Mapping[str, Carrier] | None = None) -> None:
        """Let every site take part, each in a thread of its own."""
        threads = [
            threading.Thread(target=self._one, args=(name, (carriers or {}).get(name)))
            for name in self.keys
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)

    def _one(self, name: str, carrier: Carrier | None) -> None:
        try:
            self.digests[name] = self.site(name, carrier).run(self.sums[name])
        except SafelightError as error:
            self.errors[name] = error


class Through:
    """A carrier that does something to one of the calls."""

    def __init__(self, coordinator: Coordinator, **ways: Callable[..., Any]) -> None:
        self._coordinator = coordinator
        self._ways = ways

    def join(self, site: str, attempt: int, key: str, signature: str) -> dict[str, Any]:
        call = self._ways.get("join", self._coordinator.join)
        return dict(call(site, attempt, key, signature))

    def share(self, site: str, attempt: int, data: bytes, signature: str) -> dict[str, Any]:
        call = self._ways.get("share", self._coordinator.share)
        return dict(call(site, attempt, data, signature))

    def state(self) -> dict[str, Any]:
        return dict(self._ways.get("state", self._coordinator.state)())


def papers_in(folder: str) -> tuple[str, str]:
    """Write a certificate for 127.0.0.1 that vouches for itself, and its key; return the files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "coordinator")])
    now = datetime.now(UTC)
    local = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([local]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = os.path.join(folder, "c.pem"), os.path.join(folder, "k.pem")
    with open(certificate, "wb") as file:
        file.write(made.public_bytes(serialization.Encoding.PEM))
    with open(secret, "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    return certificate, secret
