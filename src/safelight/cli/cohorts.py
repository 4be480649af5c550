"""Where ``safelight represent`` takes a cohort from: a table, or the vault."""

import csv
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from safelight.errors import SettingsError

if TYPE_CHECKING:
    from safelight.consent.custody import Custody
    from safelight.feedback import Facts

__all__ = ["from_file", "from_vault", "tell_cohort"]

_MOST: Final = 1_000_000


def from_file(path: str) -> "list[Facts]":
    """Return the people of a table: columns age, sex, region, device; any may be empty.

    Raises:
        SettingsError: It cannot be read.
    """
    from safelight.feedback import Facts  # noqa: PLC0415  # start-up cost

    people = []
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.DictReader(file, restkey="more"), 2):
                told = {k.strip().lower(): str(v or "").strip() for k, v in row.items()}
                if number > _MOST:
                    raise SettingsError("a cohort has at most a million lines")
                try:
                    age = float(told["age"]) if told.get("age") else None
                except ValueError:
                    raise SettingsError(
                        "an age is a number of years", place=f"line {number}"
                    ) from None
                people.append(
                    Facts(
                        age=age,
                        sex=told.get("sex", "").upper(),
                        region=told.get("region", ""),
                        device=told.get("device", ""),
                    )
                )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"the cohort cannot be read ({type(error).__name__})") from error
    return people


def from_vault(custody: "Custody", account: str, purpose: str) -> "list[Facts]":
    """Return what is known of each person in the vault who agrees to a purpose, once each.

    Raises:
        AccessDeniedError: The account may not list people.
        SettingsError: Nobody agrees.
    """
    from safelight.consent.roles import Act  # noqa: PLC0415  # start-up cost
    from safelight.feedback import Book, Facts  # noqa: PLC0415  # as above

    custody.accesses.check(account, Act.LIST_PEOPLE)
    with custody.store.read() as conn:
        consents = custody.consents
        heads = [consents.policy(conn, name).hash for name in consents.names(conn)]
        known: dict[str, Facts] = {}
        for case in Book(custody).open(conn).cases.values():
            known[case.person] = case.facts
        agreed = [
            known.get(person, Facts())
            for person in custody.vault.people.listed(conn)
            if any(consents.may(conn, person, purpose, policy).allowed for policy in heads)
        ]
    if not agreed:
        raise SettingsError(f"nobody in the vault agrees to {purpose[:80]!r} now")
    return agreed


def tell_cohort(document: "Mapping[str, Any]") -> None:
    """Print how a cohort compares with its population.

    Args:
        document: What ``Represented.to_json`` gave.
    """
    click.echo(f"{document['people']} people beside {document['population']}")
    click.echo(f"  {document['source']}")
    for one in document["dimensions"]:
        if one["distance"] is None:
            click.echo(f"  {one['dimension']:<12} nothing is said: {one['known']} are known")
            continue
        word, colour = ("differs", "yellow") if one["flagged"] else ("within chance", "green")
        click.secho(
            f"  {one['dimension']:<12} {word}: distance {one['distance']:.3f},"
            f" by chance below {one['usual_below']:.3f} (p {one['p']:.4f}),"
            f" {one['missing']:.0%} not known",
            fg=colour,
        )
    if weights := document["weights"]:
        click.echo(
            f"  weighted, they are worth {weights['worth_people']} people;"
            f" the largest weight is {weights['largest_weight']}"
        )
