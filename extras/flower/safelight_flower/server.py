"""The coordinator's side: Flower carries what sites say to the same ``Coordinator`` as ever."""

import time
from pathlib import Path
from typing import Any

from flwr.app import ConfigRecord, Context, Message, RecordDict
from flwr.serverapp import Grid, ServerApp

from safelight.errors import FederationError
from safelight.learning.federated.coordinator import Coordinator
from safelight.learning.federated.plan import Plan

app = ServerApp()
_ATTEMPT = 1


def _asked(grid: Grid, what: str, nodes: list[int], content: RecordDict) -> list[RecordDict]:
    """Return the answers of all sites.

    Raises:
        FederationError: One failed.
    """
    messages = [Message(content, message_type=f"query.{what}", dst_node_id=one) for one in nodes]
    replies = list(grid.send_and_receive(messages))
    if any(one.has_error() for one in replies) or len(replies) != len(nodes):
        raise FederationError("a site failed; there is no sum")
    return [one.content for one in replies]


@app.main()
def main(grid: Grid, context: Context) -> None:
    """Run one round, and write the total."""
    plan = Plan.from_bytes(Path(str(context.run_config["plan"])).read_bytes())
    round_ = Coordinator(plan)
    until = time.monotonic() + plan.seconds
    while len(nodes := sorted(grid.get_node_ids())) < len(plan.sites):
        if time.monotonic() > until:
            raise FederationError("not all sites are there")
        time.sleep(0.2)
    state: dict[str, Any] = {}
    for one in _asked(grid, "join", nodes, RecordDict()):
        said = one["said"]
        state = round_.join(str(said["site"]), _ATTEMPT, str(said["key"]), str(said["signature"]))
    keys = state["keys"]
    given = ConfigRecord(
        {
            "sites": list(keys),
            "keys": [one["key"] for one in keys.values()],
            "signatures": [one["signature"] for one in keys.values()],
        }
    )
    for one in _asked(grid, "share", nodes, RecordDict({"keys": given})):
        said = one["said"]
        (words,) = one["numbers"].to_numpy_ndarrays()
        data = words.view("<u8").tobytes()
        round_.share(str(said["site"]), _ATTEMPT, data, str(said["signature"]))
    total = round_.result()
    Path(str(context.run_config["out"])).write_bytes(total.to_bytes())
    print(f"total {total.digest()}")
