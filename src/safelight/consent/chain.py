"""The published versions of one policy, in order, and what ``decide`` must know of each."""

from collections.abc import Mapping, Sequence

from safelight.consent.decision import Terms
from safelight.consent.diff import compare
from safelight.consent.policy import Policy
from safelight.errors import PolicyError

__all__ = ["days_kept", "follow", "terms_of"]


def follow(head: Policy | None, document: Mapping[str, object]) -> Policy:
    """Return a new version of a policy: the document, with its place in the chain filled in.

    Args:
        head: The newest published version of this name; None where there is none.
        document: What to publish; ``version`` and ``previous`` may be left out.

    Raises:
        PolicyError: The document is malformed, or names another place in the chain.
    """
    version = head.version + 1 if head else 1
    previous = head.hash if head else ""
    for name, wanted in (("version", version), ("previous", previous)):
        if document.get(name, wanted) != wanted:
            raise PolicyError(
                f"the document does not follow the newest version, which is {version - 1}",
                place=name,
                todo=f"leave {name} out, or compare with the newest version first",
            )
    return Policy.from_document({**document, "version": version, "previous": previous})


def terms_of(versions: Sequence[Policy]) -> dict[str, Terms]:
    """Return what each version allows and from where consent carries over to it, by hash.

    Args:
        versions: All published versions of one policy, the first one first.
    """
    hashes = [version.hash for version in versions]
    carries = [
        index > 0 and compare(versions[index - 1], version).carries
        for index, version in enumerate(versions)
    ]
    return {
        hashes[index]: Terms(
            purposes=version.purposes,
            carries_from=hashes[index - 1] if carries[index] else "",
            same_name=frozenset(hashes),
            version=version.version,
            superseded=index + 1 < len(versions) and carries[index + 1],
        )
        for index, version in enumerate(versions)
    }


def days_kept(versions: Sequence[Policy], policy: str) -> int | None:
    """Return for how many days data under a policy may be kept today; None for no limit.

    A later version to which consent carries over says no more days, so the last of these counts.

    Args:
        versions: All published versions of one policy, the first one first.
        policy: Hash of the version that the data are kept under.

    Raises:
        PolicyError: It is none of these versions.
    """
    hashes = [version.hash for version in versions]
    if policy not in hashes:
        raise PolicyError("no such policy was published")
    at = hashes.index(policy)
    while at + 1 < len(versions) and compare(versions[at], versions[at + 1]).carries:
        at += 1
    return versions[at].retention_days
