"""Run a round of two sites over Flower's real engine on this machine, and compare with the centre.

One SuperLink and two SuperNodes are started, with TLS between them; made-up rows are summed at
each site, and the total that comes out must be that of all rows in one place, to the bit. Exit code
1 when it is not.

    cd extras/flower && uv sync && uv run python try_engine.py
"""

import argparse
import datetime as dt
import hashlib
import ipaddress
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HERE = Path(__file__).resolve().parent
TOOLS = Path(sys.executable).parent
SOURCE = HERE.parents[1] / "src"
sys.path.insert(0, str(SOURCE))

from safelight.learning.federated.plan import Plan  # noqa: E402  # the path is set above
from safelight.readers.statistics import Statistics  # noqa: E402  # as above

CLASSES = ("not", "with")
SITES = {"north": 700, "south": 1_300}


def _papers(folder: Path) -> tuple[Path, Path]:
    """Make a certificate of this machine's own."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "tls.pem", folder / "tls.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, secret


def _free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(port: int, process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Wait until somebody listens on a port."""
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return
        except OSError:
            time.sleep(0.3)


def _sites(folder: Path, width: int) -> tuple[Path, Statistics]:
    """Make keys, sums and the plan; return the plan's file and the central sums."""
    nothing = Statistics.empty("demo-1", CLASSES, width)
    public, central = {}, nothing
    for number, (name, count) in enumerate(SITES.items()):
        chance = np.random.default_rng(number)
        rows = chance.integers(-2047, 2048, (count, width), dtype=np.int16)
        labels = [CLASSES[one] for one in chance.integers(0, 2, count)]
        sums = nothing.of(rows, labels)
        central = central.add(rows, labels)
        key = Ed25519PrivateKey.generate()
        (folder / f"{name}.key").write_text(key.private_bytes_raw().hex())
        (folder / f"{name}.sums").write_bytes(sums.to_bytes())
        public[name] = key.public_key().public_bytes_raw().hex()
    plan = Plan.new(
        head="demo", features="demo-1", classes=CLASSES, width=width, sites=public, seconds=120.0
    )
    path = folder / "plan.json"
    path.write_bytes(plan.to_bytes())
    return path, central


def _around(folder: Path, app: Path, certificate: Path, port: int) -> dict[str, str]:
    """Return the environment of all processes, with Flower's settings in a folder of its own."""
    home = folder / "home"
    home.mkdir()
    (home / "config.toml").write_text(
        '[superlink]\ndefault = "here"\n\n[superlink.here]\n'
        f'address = "127.0.0.1:{port}"\nroot-certificates = "{certificate}"\n'
    )
    return os.environ | {
        "FLWR_HOME": str(home),
        "FLWR_TELEMETRY_ENABLED": "0",
        "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(SOURCE), str(app)]),
    }


def _commands(
    folder: Path, plan: Path, papers: tuple[Path, Path], port: int
) -> tuple[list[str], list[list[str]]]:
    """Return what starts the SuperLink, and what starts each site's SuperNode."""
    certificate, secret = papers
    link = [
        *(str(TOOLS / "flower-superlink"), "--disable-runtime-dependency-installation"),
        *("--ssl-certfile", str(certificate), "--ssl-keyfile", str(secret)),
        *("--ssl-ca-certfile", str(certificate), "--host", "127.0.0.1", "--port", str(port)),
    ]
    nodes = []
    for name in SITES:
        where = {
            "plan": plan,
            "site": name,
            "key": folder / f"{name}.key",
            "sums": folder / f"{name}.sums",
        }
        told = " ".join(f'{key}="{value}"' for key, value in where.items())
        node = [str(TOOLS / "flower-supernode"), "--root-certificates", str(certificate)]
        node += ["--superlink", f"127.0.0.1:{port}", "--node-config", told]
        nodes.append([*node, "--host", "127.0.0.1", "--port", str(_free())])
    return link, nodes


def main() -> int:
    """Run the round; return 0 when its total is the central one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=600.0, help="to wait for the total")
    given = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        plan, central = _sites(folder, given.width)
        certificate, secret = _papers(folder)
        app = folder / "app"
        shutil.copytree(HERE / "safelight_flower", app / "safelight_flower")
        shutil.copy(HERE / "pyproject.toml", app)
        port = _free()
        around = _around(folder, app, certificate, port)
        link, nodes = _commands(folder, plan, (certificate, secret), port)
        out = folder / "total.bin"
        run = [str(TOOLS / "flwr"), "run", str(app), "here", "--stream"]
        run += ["--run-config", f'plan="{plan}" out="{out}"']
        started: list[subprocess.Popen[bytes]] = []
        try:
            with (folder / "log").open("wb") as log:
                for line in (link, *nodes):
                    started.append(
                        subprocess.Popen(line, env=around, stdout=log, stderr=log, cwd=folder)
                    )
                    if line is link:
                        _wait(port, started[0], given.seconds)
                print(f"{time.monotonic() - begun:6.1f} s  one SuperLink, {len(nodes)} SuperNodes")
                asked = subprocess.Popen(run, env=around, cwd=folder)
                started.append(asked)
                until = time.monotonic() + given.seconds
                while not out.exists() and not asked.poll() and time.monotonic() < until:
                    time.sleep(0.5)
                time.sleep(1)  # for the last of it to be written
        finally:
            for one in reversed(started):
                one.terminate()
            for one in started:
                try:
                    one.wait(15)
                except subprocess.TimeoutExpired:
                    one.kill()
        if not out.exists():
            print((folder / "log").read_text()[-6_000:])
            print("no total came out")
            return 1
        total = Statistics.from_bytes(out.read_bytes())
        print(f"{time.monotonic() - begun:6.1f} s  total   {total.digest()}")
        print(f"          central {central.digest()}")
        print(f"          plan    {hashlib.sha256(plan.read_bytes()).hexdigest()}")
        return int(total.digest() != central.digest())


if __name__ == "__main__":
    sys.exit(main())
