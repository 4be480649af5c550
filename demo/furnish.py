"""Hand the demo's files in at a house of their own, for the page to open on."""

import shutil
from pathlib import Path

from safelight.consent.decision import Said
from safelight.consent.roles import Role
from safelight.pipeline.house import House, Places
from safelight.pipeline.submit import submit
from safelight.web.desk import server_actor
from safelight.web.own import OWN_POLICY

__all__ = ["furnish"]


def furnish(folder: Path, source: Path) -> str:
    """Make a house whose one person has handed in what lies in a folder; return how to open it.

    Args:
        folder: Data folder of the house, made anew.
        source: What is handed in. The page's worker takes the identity off when it is opened.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    places = Places(
        data=str(folder), master_key=str(folder / "master.key"), log_key=str(folder / "log.key")
    )
    House.create(places).close()
    with House.open(places) as house:
        actor, custody = server_actor(), house.custody
        custody.accesses.bootstrap(actor)
        person = house.vault.create_person()
        custody.accesses.give(actor, Role.PERSON, by=actor, person=person)
        published, _ = custody.consents.publish(OWN_POLICY, actor=actor)
        policy = published.hash
        with custody.store.begin() as conn:
            custody.consents.record(
                conn, person=person, purpose="care", said=Said.GRANT, actor=actor, policy=policy
            )
        submit(
            house.vault,
            [str(source)],
            person=person,
            keep=True,
            use=("care", policy),
            witness=house.witness,
        )
    return (
        f"safelight serve --open --data {folder} --master-key {places.master_key}"
        f" --log-key {places.log_key}"
    )
