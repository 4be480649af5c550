"""The site's side: a key, then masked numbers; never a number of its own in the clear.

Where things lie is told by the node's own configuration: ``plan``, ``site``, ``key`` (a file of
``safelight federate key``) and ``sums`` (a file of ``safelight federate sums``).
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, RecordDict
from flwr.clientapp import ClientApp

from safelight.errors import FederationError
from safelight.learning.federated.masks import masked, numbers_of
from safelight.learning.federated.plan import Plan, sign
from safelight.learning.federated.site import checked
from safelight.readers.statistics import Statistics

app = ClientApp()
ATTEMPT = 1  # a site that is gone ends the round: Flower's node ids are no sites of a plan


def _told(context: Context) -> tuple[Plan, str, Ed25519PrivateKey]:
    told = context.node_config
    plan = Plan.from_bytes(Path(str(told["plan"])).read_bytes())
    name = str(told["site"])
    secret = bytes.fromhex(Path(str(told["key"])).read_text())
    key = Ed25519PrivateKey.from_private_bytes(secret)
    if plan.key_of(name).public_bytes_raw() != key.public_key().public_bytes_raw():
        raise FederationError("the plan names another key for this site", place=name)
    return plan, name, key


def _reply(message: Message, **records: Any) -> Message:
    return Message(RecordDict(records), reply_to=message)


@app.query("join")
def join(message: Message, context: Context) -> Message:
    """Hand in a key for masks, signed; its other half stays in this node's own context."""
    plan, name, key = _told(context)
    mine = X25519PrivateKey.generate()
    public = mine.public_key().public_bytes_raw().hex()
    context.state["mine"] = ConfigRecord({"secret": mine.private_bytes_raw(), "public": public})
    signature = sign(key, plan, what="join", site=name, attempt=ATTEMPT, value=public)
    said = {"site": name, "key": public, "signature": signature, "plan": plan.digest}
    return _reply(message, said=ConfigRecord(said))


@app.query("share")
def share(message: Message, context: Context) -> Message:
    """Send this site's numbers under masks, once."""
    plan, name, key = _told(context)
    held = context.state.pop("mine")  # used once: no mask is used twice
    given = message.content["keys"]
    sites = [str(one) for one in given["sites"]]
    pairs = zip(given["keys"], given["signatures"], strict=True)
    told = {
        site: {"key": str(one), "signature": str(signature)}
        for site, (one, signature) in zip(sites, pairs, strict=True)
    }
    public = str(held["public"])
    keys = checked(plan, name, told, (ATTEMPT, public), frozenset(plan.sites))
    sums = Statistics.from_bytes(Path(str(context.node_config["sums"])).read_bytes())
    rows = int(sums.counts.sum())
    if rows < plan.least_rows:
        raise FederationError(f"this site has fewer than {plan.least_rows} rows")
    others = {site: bytes.fromhex(one) for site, one in keys.items() if site != name}
    mine = X25519PrivateKey.from_private_bytes(held["secret"])
    data = masked(plan, ATTEMPT, name, mine, others, numbers_of(sums))
    words = data.astype("<u8")
    digest = hashlib.sha256(words.tobytes()).hexdigest()
    signature = sign(key, plan, what="share", site=name, attempt=ATTEMPT, value=digest)
    said = ConfigRecord({"site": name, "signature": signature})
    # Flower carries signed integers; the bits are the same.
    return _reply(message, said=said, numbers=ArrayRecord([words.view(np.int64)]))
