"""An agent's part in a toss: it commits once, reveals once, and loses nothing by a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from auditor.base.coin import CLIENT, Opening, commitment
from auditor.providers.agent.limits import Limits
from tests.providers.test_agent_and_its_clients import client, of

TOSS = "run-1.toss-1"
MINE = commitment(TOSS, CLIENT, Opening("11" * 32, "22" * 32))


async def committed(asking: httpx.AsyncClient, toss: str = TOSS, **changes: Any) -> httpx.Response:
    return await asking.post(f"/tosses/{toss}", json={"name": "a", "commitment": MINE, **changes})


async def revealed(asking: httpx.AsyncClient, *pairs: tuple[str, str], toss: str = TOSS) -> httpx.Response:
    rows = [{"name": name, "commitment": made} for name, made in pairs]
    return await asking.post(f"/tosses/{toss}/reveal", json={"commitments": rows})


async def test_it_reveals_what_it_committed_to_also_after_a_restart(tmp_path: Path) -> None:
    async with client(tmp_path) as asking:
        first, again = [(await committed(asking)).json()["commitment"] for _ in range(2)]
    async with client(tmp_path) as asking:  # another process, with the same folder
        answer = (await revealed(asking, (CLIENT, MINE), ("b", "0" * 64), ("a", first))).json()
    assert first == again
    assert commitment(TOSS, "a", Opening(**answer)) == first


@pytest.mark.parametrize("seed", [None, 5])
async def test_it_adds_something_else_to_every_toss_and_for_every_client_and_name(
    tmp_path: Path, seed: int | None
) -> None:
    async with client(tmp_path, seed=seed) as asking:
        made = [
            await committed(asking),
            await committed(asking, "run-1.toss-2"),
            await committed(asking, "run-1.toss-3", name="b"),
            await committed(asking, "run-1.toss-4", commitment="3" * 64),
        ]
        assert isinstance(asking._transport, httpx.AsyncBaseTransport)
        async with of(asking._transport, "v" * 16) as other:
            made.append(await committed(other))
    assert len({answer.json()["commitment"] for answer in made}) == 5


async def test_it_does_not_reveal_for_a_list_that_is_not_fair(tmp_path: Path) -> None:
    async with client(tmp_path) as asking:
        own = (await committed(asking)).json()["commitment"]
        for pairs in (
            [("a", own)],
            [(CLIENT, MINE)],
            [(CLIENT, "0" * 64), ("a", own)],
            [(CLIENT, MINE), ("a", "0" * 64)],
            [(CLIENT, MINE), ("b", own)],
            [(CLIENT, MINE), ("a", own), ("a", "0" * 64)],
        ):
            refused = await revealed(asking, *pairs)
            assert refused.status_code == 409, pairs
        assert (await revealed(asking, (CLIENT, MINE), ("a", own))).status_code == 200


async def test_it_reveals_for_one_list_only_and_remembers_which(tmp_path: Path) -> None:
    async with client(tmp_path) as asking:
        own = (await committed(asking)).json()["commitment"]
        first = await revealed(asking, (CLIENT, MINE), ("a", own), ("b", "0" * 64))
    async with client(tmp_path) as asking:
        same = await revealed(asking, (CLIENT, MINE), ("a", own), ("b", "0" * 64))
        other = await revealed(asking, (CLIENT, MINE), ("a", own), ("b", "1" * 64))
        shorter = await revealed(asking, (CLIENT, MINE), ("a", own))
    assert same.json() == first.json()
    assert (other.status_code, shorter.status_code) == (409, 409)
    assert "another list already" in other.json()["error"]


async def test_it_begins_a_toss_once_and_knows_no_others(tmp_path: Path) -> None:
    async with client(tmp_path) as asking:
        await committed(asking)
        assert (await committed(asking, commitment="0" * 64)).status_code == 409
        assert (await committed(asking, name="b")).status_code == 409
        assert (await revealed(asking, (CLIENT, MINE), toss="run-1.toss-9")).status_code == 404
        assert (await committed(asking, name="")).status_code == 422
        assert (await committed(asking, commitment="x")).status_code == 422
        assert (await committed(asking, "a%20b")).status_code == 422
        async with of(asking._transport, "short") as stranger:
            assert (await committed(stranger)).status_code == 401


async def test_it_remembers_no_more_tosses_than_its_owner_allows(tmp_path: Path) -> None:
    async with client(tmp_path, limits=Limits(tosses=2)) as asking:
        codes = [(await committed(asking, f"run-1.toss-{number}")).status_code for number in (1, 2, 3, 1)]
    assert codes == [200, 200, 507, 200]
