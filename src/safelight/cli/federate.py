"""``safelight federate``: sums of several sites, without their data leaving them."""

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import click

from safelight.cli.opening import AS_JSON, about, actor, house, placed, show

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from safelight.consent.custody import Custody
    from safelight.learning.federated import Plan
    from safelight.learning.versions import Version
    from safelight.readers.statistics import Statistics

__all__ = ["federate"]

_FILE: Final = click.Path(exists=True, dir_okay=False)
_NEW: Final = click.Path(dir_okay=False)
_SETTLE: Final = 3.0  # seconds in which sites may still ask how it ended


@click.group()
def federate() -> None:
    """Add up what several sites know, without anything of one site leaving it in the clear."""


@federate.command("key")
@click.argument("file", type=_NEW)
@AS_JSON
def federate_key(file: str, *, as_json: bool) -> None:
    """Make this site's signing key in FILE, and print its public half for the plan."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415  # start-up cost
        Ed25519PrivateKey,
    )

    made = Ed25519PrivateKey.generate()
    _write(file, made.private_bytes_raw().hex().encode() + b"\n")
    public = made.public_key().public_bytes_raw().hex()
    if as_json:
        show({"public_key": public})
    else:
        click.echo(public)


def _write(path: str, data: bytes) -> None:
    """Write a file of this user's alone; never over another one.

    Raises:
        OutputError: It exists already, or cannot be written.
    """
    from safelight.errors import OutputError  # noqa: PLC0415  # rarely needed

    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise OutputError(
            f"the file cannot be written ({error.strerror})",
            place=path,
            kept="nothing was written over",
            todo="give the name of a file that is not there yet, in a folder you may write to",
        ) from error
    with os.fdopen(file, "wb") as out:
        out.write(data)


@federate.command("plan")
@click.argument("file", type=_NEW)
@click.option("--head", required=True, help="Head of the vault whose form is added up.")
@click.option(
    "--site", "sites", multiple=True, required=True, metavar="NAME=KEY", help="Each site's key."
)
@click.option("--least-rows", type=int, default=20, help="A site with fewer takes no part.")
@click.option("--least-sites", type=int, default=2, help="With fewer there is no sum.")
@click.option("--recover", is_flag=True, help="Go on with those left when a site is gone.")
@click.option("--seconds", type=float, default=60.0, help="To wait for a site in each step.")
@placed
@AS_JSON
def federate_plan(
    file: str,
    *,
    head: str,
    sites: tuple[str, ...],
    least_rows: int,
    least_sites: int,
    recover: bool,
    seconds: float,
    as_json: bool,
    **given: Any,
) -> None:
    """Write the plan of a new round to FILE, for every site to check and keep."""
    from safelight.learning.federated import Plan  # noqa: PLC0415  # start-up cost

    if any("=" not in one for one in sites):
        raise click.UsageError("a site is given as NAME=KEY")
    with house(given) as custody:
        form = _sums(custody, head)
    plan = Plan.new(
        head=head,
        features=form.features,
        classes=form.classes,
        width=form.width,
        sites=dict(one.split("=", 1) for one in sites),
        least_rows=least_rows,
        least_sites=least_sites,
        recover=recover,
        seconds=seconds,
    )
    _write(file, plan.to_bytes())
    if as_json:
        show({"round": plan.round, "plan": plan.digest})
    else:
        click.echo(f"plan {plan.digest}\n  every site compares this number with its own copy's")


def _sums(custody: "Custody", head: str) -> "Statistics":
    """Return what the people of this vault have taught a head, published or not."""
    from safelight.learning.ledger import PARTS, Ledger  # noqa: PLC0415  # start-up cost
    from safelight.learning.ledgers import head_of  # noqa: PLC0415  # as above

    with custody.store.read() as conn:
        ledger = Ledger(custody.vault, conn, head_of(conn, head).id)
        first, *rest = [ledger.read(part) for part in PARTS]
        for one in rest:
            first = first + one
    return first


def _plan(path: str) -> "Plan":
    from safelight.learning.federated import Plan  # noqa: PLC0415  # start-up cost

    with about(path), open(path, "rb") as file:
        return Plan.from_bytes(file.read())


@federate.command("sums")
@click.argument("file", type=_NEW)
@click.option("--head", required=True, help="Head of the vault whose sums are written.")
@placed
@AS_JSON
def federate_sums(file: str, *, head: str, as_json: bool, **given: Any) -> None:
    """Write this vault's own sums to FILE, for an engine on this machine; not to be sent."""
    from safelight.consent.roles import Act  # noqa: PLC0415  # start-up cost
    from safelight.learning.federated.serving import logged  # noqa: PLC0415  # as above

    with house(given) as custody:
        custody.accesses.check(actor(), Act.RUN)
        sums = _sums(custody, head)
        rows = int(sums.counts.sum())
        # Logged first: what cannot be logged is not written.
        logged(custody)("federated.written", {"head": head, "rows": rows})
    _write(file, sums.to_bytes())
    if as_json:
        show({"rows": rows, "digest": sums.digest()})
    else:
        click.secho(f"written: sums of {rows} rows, for this site's own eyes", fg="green")


@federate.command("coordinate")
@click.argument("plan_file", metavar="PLAN", type=_FILE)
@click.argument("out", type=_NEW)
@click.option("--certificate", required=True, type=_FILE, help="PEM file of the certificate.")
@click.option("--certificate-key", required=True, type=_FILE, help="PEM file of its key.")
@click.option("--host", default="0.0.0.0", help="Address to listen on.")  # noqa: S104  # sites reach in from elsewhere
@click.option("--port", type=int, default=8443, help="Port to listen on.")
@placed
@AS_JSON
def federate_coordinate(  # one option each
    plan_file: str,
    out: str,
    *,
    certificate: str,
    certificate_key: str,
    host: str,
    port: int,
    as_json: bool,
    **given: Any,
) -> None:
    """Collect the masked sums of one round over TLS, and write their total to OUT.

    Beside it goes OUT.record: which sites signed their parts, signed by this house's log.
    """
    from safelight.consent.roles import Act  # noqa: PLC0415  # start-up cost
    from safelight.learning.federated import Coordinator  # noqa: PLC0415  # as above
    from safelight.learning.federated.serving import logged, served  # noqa: PLC0415  # as above

    plan = _plan(plan_file)
    with house(given) as custody:
        custody.accesses.check(actor(), Act.RUN)
        round_ = Coordinator(plan, note=logged(custody))
        with served(
            round_, host=host, port=port, certificate=certificate, key=certificate_key
        ) as where:
            click.echo(f"waiting for {len(plan.sites)} sites on port {where}", err=True)
            while round_.state()["step"] not in ("done", "failed"):
                time.sleep(0.1)
            time.sleep(_SETTLE)
        total, record = round_.result(), round_.record()
        record = replace(record, note=custody.log.sign(record.text))
    _write(out, total.to_bytes())
    _write(f"{out}.record", record.to_bytes())
    if as_json:
        show({"digest": total.digest(), "rows": int(total.counts.sum())})
    else:
        click.secho(f"summed: {int(total.counts.sum())} rows", fg="green")
        click.echo(f"  digest {total.digest()}")


@federate.command("send")
@click.argument("plan_file", metavar="PLAN", type=_FILE)
@click.argument("site")
@click.option("--to", "address", required=True, metavar="https://HOST:PORT")
@click.option("--site-key", required=True, type=_FILE, help="File of 'federate key'.")
@click.option("--authorities", type=_FILE, help="PEM file of who vouches for the coordinator.")
@placed
@AS_JSON
def federate_send(
    plan_file: str,
    site: str,
    *,
    address: str,
    site_key: str,
    authorities: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Take part in the round of PLAN as SITE: send this vault's sums, masked."""
    from safelight.consent.roles import Act  # noqa: PLC0415  # start-up cost
    from safelight.learning.federated import Site  # noqa: PLC0415  # as above
    from safelight.learning.federated.serving import logged  # noqa: PLC0415  # as above
    from safelight.learning.federated.wire import Wire  # noqa: PLC0415  # as above

    plan = _plan(plan_file)
    wire = Wire(address, authorities=authorities or "")
    with house(given) as custody:
        custody.accesses.check(actor(), Act.RUN)
        agent = Site(plan, site, _key(site_key), wire, note=logged(custody))
        digest = agent.run(_sums(custody, plan.head))
    if as_json:
        show({"digest": digest, "round": plan.round})
    else:
        click.secho("this site's sums are in the total", fg="green")
        click.echo(f"  digest of the total {digest}")


def _key(path: str) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415  # start-up cost
        Ed25519PrivateKey,
    )

    from safelight.errors import KeyFileError  # noqa: PLC0415  # rarely needed

    try:
        with open(path, "rb") as file:
            return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(file.read(200).decode()))
    except (OSError, ValueError) as error:
        raise KeyFileError(
            "this is not a site's key", todo="make one with safelight federate key"
        ) from error


@federate.command("import")
@click.argument("total", type=_FILE)
@click.option("--head", required=True, help="Head that the total goes into.")
@click.option("--source", required=True, help="Who added up; its new total replaces the old one.")
@click.option("--record", type=_FILE, help="Record of the round; TOTAL.record by default.")
@click.option("--signer", metavar="KEY", help="Log key of who added up, when it is another house.")
@placed
@AS_JSON
def federate_import(
    total: str,
    *,
    head: str,
    source: str,
    record: str | None,
    signer: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Put the TOTAL of a round into a head, beside what people here contributed.

    When somebody leaves at a site, the next round is without them: import its total under the same
    source, and the old one is gone, key and all. What learnt from it is replaced at once.
    """
    from safelight.consent.roles import Act  # noqa: PLC0415  # start-up cost
    from safelight.learning.federated.record import Record  # noqa: PLC0415  # as above
    from safelight.learning.publish import Publisher  # noqa: PLC0415  # as above
    from safelight.learning.starts import open_bundled  # noqa: PLC0415  # as above
    from safelight.learning.totals import Totals  # noqa: PLC0415  # as above
    from safelight.readers.statistics import Statistics  # noqa: PLC0415  # as above
    from safelight.tlog.note import VerifierKey  # noqa: PLC0415  # as above

    with about(total), open(total, "rb") as file:
        sums = Statistics.from_bytes(file.read())
    beside = record or f"{total}.record"
    with about(beside), open(beside, "rb") as file:
        proof = Record.from_bytes(file.read())
    key = VerifierKey.parse(signer) if signer else None
    with house(given) as custody:
        custody.accesses.check(actor(), Act.RUN)
        open_bundled(custody, head)
        entry = Totals(custody).take(head, source, sums, proof, signer=key)
        made = Publisher(custody.vault, custody.log).renew(head)
    _told(head, made, as_json=as_json, rows=int(sums.counts.sum()), log_index=entry)


@federate.command("drop")
@click.option("--head", required=True, help="Head that the total is in.")
@click.option("--source", required=True, help="Whose total goes.")
@placed
@AS_JSON
def federate_drop(*, head: str, source: str, as_json: bool, **given: Any) -> None:
    """Take the total of a source off a head, as if it had never been there."""
    from safelight.consent.roles import Act  # noqa: PLC0415  # start-up cost
    from safelight.learning.publish import Publisher  # noqa: PLC0415  # as above
    from safelight.learning.totals import Totals  # noqa: PLC0415  # as above

    with house(given) as custody:
        custody.accesses.check(actor(), Act.RUN)
        Totals(custody).drop(head, source)
        made = Publisher(custody.vault, custody.log).renew(head)
    _told(head, made, as_json=as_json)


def _told(head: str, made: "Version | None", *, as_json: bool, **more: int) -> None:
    version, ledger = (made.version, made.document["ledger"]) if made else (0, "")
    if as_json:
        show({"head": head, "version": version, "ledger": ledger} | more)
    elif made:
        click.secho(f"in service: {head} version {version}", fg="green")
        click.echo(f"  ledger {ledger}")
    else:
        click.echo("nothing is in service until the next training")
