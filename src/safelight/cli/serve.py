"""``safelight serve``: the page, on this computer or for others."""

from typing import Any

import click

from safelight.cli.opening import placed, tell_new_key

__all__ = ["serve"]


@click.command()
@click.option(
    "--open", "desktop", is_flag=True, help="For one person at this computer: no account."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--tls-cert", default="", metavar="FILE", help="Certificate chain (PEM).")
@click.option("--tls-key", default="", metavar="FILE", help="Its key (PEM).")
@click.option(
    "--trusted-proxy", default="", metavar="ADDRESS", help="A proxy that speaks TLS for us."
)
@click.option(
    "--public-url",
    default="",
    metavar="URL",
    envvar="SAFELIGHT_PUBLIC_URL",
    help="How browsers reach the server; or SAFELIGHT_PUBLIC_URL in the environment.",
)
@click.option("--oidc", default="", metavar="ISSUER", help="OpenID provider to sign in with.")
@click.option("--oidc-client", default="", metavar="ID", help="Our id there.")
@click.option("--oidc-secret", default="", metavar="FILE", help="File that holds our secret there.")
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes."
)
@click.option(
    "--keep-hours",
    default=24,
    show_default=True,
    type=click.IntRange(0, 24 * 30),
    help="Hours in which people can see how their files were.",
)
@click.option("--preset", metavar="NAME|FILE.toml", help="What to take off and what to keep.")
@click.option("--key", "key_file", metavar="FILE", help="Project key.")
@click.option("--log", "log_file", metavar="FILE", help="File that receives the log (JSON lines).")
@placed
def serve(*, desktop: bool, **given: Any) -> None:
    """Serve the page: hand in, see what was removed, read, consent, withdraw.

    It listens on this computer alone unless it has TLS, or a proxy that has. With --open the
    vault is made if there is none, and the address that is printed opens it once: it is secret.
    """
    from dataclasses import replace  # noqa: PLC0415  # start-up cost

    from safelight import log, settings  # noqa: PLC0415  # as above
    from safelight.pipeline.house import House, Places  # noqa: PLC0415  # as above
    from safelight.pipeline.run import make_engine  # noqa: PLC0415  # as above
    from safelight.web.binding import Binding  # noqa: PLC0415  # as above
    from safelight.web.desk import Desk  # noqa: PLC0415  # as above
    from safelight.web.rooms import Rooms  # noqa: PLC0415  # as above
    from safelight.web.server import options_for, run  # noqa: PLC0415  # as above

    where = Binding(
        host=given["host"],
        port=given["port"],
        certificate=given["tls_cert"],
        key=given["tls_key"],
        proxy=given["trusted_proxy"],
        public_url=given["public_url"],
    )
    chosen = settings.load(
        preset=given["preset"], key_file=given["key_file"], log_file=given["log_file"]
    )
    options = options_for(where, desktop=desktop, chosen=chosen)
    options = replace(options, keep_hours=given["keep_hours"], oidc=_oidc(given))
    if desktop and not where.loopback:
        raise click.UsageError("--open is for this computer alone: leave --host out")
    where.prove()
    tell_new_key(chosen.key_file)
    make_engine(chosen)  # what workers cannot start with is said now, not when files wait
    known = ("data", "database", "objects", "master_key", "log_key")
    places = Places(**{name: given[name] for name in known if given.get(name)})
    log.configure(chosen.log_file)
    if desktop and places.is_new():
        House.create(places).close()
    desk = Desk.open(places, options)
    if desktop:
        _first_policy(desk)

    def started(rooms: Rooms) -> None:
        click.echo(f"safelight listens on {options.public_url}", err=True)
        if desktop:
            address = f"{options.public_url}/open/{options.token}"
            click.echo(f"open, once, and keep it to yourself: {address}", err=True)
        elif not rooms.accounts.count():
            address = f"{options.public_url}/first-run"
            click.echo(f"first run: {address} with the code {options.token}", err=True)

    try:
        run(desk, where, chosen, where.listen(), workers=given["workers"], started=started)
    finally:
        desk.close()


def _oidc(given: dict[str, Any]) -> tuple[str, str, str]:
    """Return issuer, client and secret; empty texts without a provider.

    Raises:
        UsageError: Something of it is missing.
    """
    if not given["oidc"]:
        return "", "", ""
    if not given["oidc_client"]:
        raise click.UsageError("--oidc needs --oidc-client")
    secret = ""
    if given["oidc_secret"]:
        secret = _secret(given["oidc_secret"])
    return given["oidc"].rstrip("/"), given["oidc_client"], secret


def _secret(path: str) -> str:
    """Return what the file of our secret holds.

    Raises:
        SettingsError: It cannot be read, or is empty.
    """
    from safelight.errors import SettingsError  # noqa: PLC0415  # rarely needed

    why = "it is empty"
    try:
        with open(path, encoding="utf-8") as file:
            if secret := file.read().strip():
                return secret
    except OSError as error:
        why = error.strerror or "it cannot be opened"
    except UnicodeDecodeError:
        why = "it is no text"
    raise SettingsError(
        f"the file of --oidc-secret cannot be used ({why})",
        place=path,
        kept="nothing was started",
        todo="give a text file that holds the secret of the OpenID client",
    )


def _first_policy(desk: Any) -> None:
    """Publish the policy of one's own computer, unless there is one."""
    from safelight.web.desk import server_actor  # noqa: PLC0415  # start-up cost
    from safelight.web.own import OWN_POLICY  # noqa: PLC0415  # as above

    book = desk.house.custody.consents
    with desk.house.store.read() as conn:
        names = book.names(conn)
    if not names:
        book.publish(OWN_POLICY, actor=server_actor())
