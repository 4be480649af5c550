"""Who teaches a head, beside whom it is for: shown before it is trained, and put on its card."""

from sqlalchemy import Connection, select

from safelight.consent.book import Consents
from safelight.errors import SafelightError
from safelight.feedback.opened import of_person
from safelight.feedback.values import Facts
from safelight.learning.reference import Reference
from safelight.learning.represent import Represented, compare
from safelight.store.schema.learning import contributions
from safelight.vault import Vault

__all__ = ["compared", "givers", "usual"]


def givers(conn: Connection, vault: Vault, head: str) -> dict[str, Facts]:
    """Return what is known of each person who contributes to a head, by code.

    Args:
        conn: Any transaction.
        vault: An open vault.
        head: Id of the head.
    """
    mine = select(contributions.c.person).where(contributions.c.head == head).distinct()
    return {one: facts_of(conn, vault, one) for one in conn.execute(mine).scalars()}


def facts_of(conn: Connection, vault: Vault, person: str) -> Facts:
    """Return what a person's cases tell: of each fact the newest that was given."""
    told = Facts()
    for case in of_person(vault, conn, person):
        new = case.facts
        told = Facts(
            site=new.site or told.site,
            age=told.age if new.age is None else new.age,
            sex=new.sex or told.sex,
            region=new.region or told.region,
            device=new.device or told.device,
        )
    return told


def usual(conn: Connection, consents: Consents) -> str:
    """Return the population that policies speak of: the country they name, or ``World``."""
    places = {consents.policy(conn, name).jurisdiction for name in consents.names(conn)}
    if len(places) != 1:
        return "World"
    (place,) = places
    try:
        return Reference.packaged(place.partition("-")[0]).name  # US-CA is in the US
    except SafelightError:
        return "World"


def compared(people: list[Facts], population: str) -> Represented:
    """Return a cohort beside a population: a packaged one, or a table of one's own.

    Args:
        people: The cohort.
        population: Name of a country or region, or a CSV file.

    Raises:
        SettingsError: There is no such population, or it cannot be read.
    """
    own = population.lower().endswith(".csv")
    reference = Reference.from_csv(population) if own else Reference.packaged(population)
    return compare(people, reference)
