"""What `/metrics` says over HTTP after what happened, and what it never says."""

from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from bot.errors import StoreUnavailableError
from bot.sandbox.leadsquared import FaultKind
from bot.store.tables import deliveries, replies
from tests.scenarios.conftest import OpenWorld
from tests.scenarios.test_crm_faults import SENT, TYPED, open_still
from tests.scenarios.world import ACCESS_KEY, BOT_TOKEN, SECRET_KEY, SIGNING_SECRET, World

READ_EVERY = 5.0
PUSH = "Browser.Push"


class Scrape:
    """One answer, by the names and labels of its samples."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._samples = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        ]

    def get(self, name: str, **labels: str) -> float:
        """Return the sum of all samples with these labels."""
        wanted = labels.items()
        values = [s.value for s in self._samples if s.name == name and wanted <= s.labels.items()]
        return sum(values)

    def has(self, name: str) -> bool:
        return any(sample.name == name for sample in self._samples)


def find_url(world: World) -> str:
    return str(world.slack.bot_url).replace("/slack/events", "/metrics")


async def scrape(world: World, **headers: str) -> Scrape:
    url = find_url(world)
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        assert answer.status == 200
        return Scrape(await answer.text())


async def scrape_anew(world: World) -> Scrape:
    """Scrape when the database is looked at again."""
    world.clock.forward(READ_EVERY)
    return await scrape(world)


async def send(world: World, text: str = TYPED, shown: str = SENT) -> None:
    alice = world.slack.people["alice"]
    assert (await alice.command("/notify", text)).ok
    await alice.sees(shown)
    await world.until_stored(lambda rows: rows and all(row.paid_at for row in rows), replies)
    await world.forward(0)


async def test_a_send_is_counted_on_its_whole_way(world: World) -> None:
    await send(world)
    found = await scrape_anew(world)
    for state in ("pending", "sending", "sent"):
        assert found.get("notifier_deliveries_total", state=state) == 1
    assert found.get("notifier_deliveries_total") == 3
    assert found.get("notifier_acknowledgement_seconds_count", kind="command") == 1
    assert found.get("notifier_crm_calls_total", operation=PUSH, outcome="ok") == 1
    assert found.get("notifier_crm_call_seconds_count", operation=PUSH) == 1
    assert found.get("notifier_permit_wait_seconds_count", purpose="push") == 1
    assert found.get("notifier_replies_total", outcome="paid") == 1
    assert found.get("notifier_slack_calls_total", method="auth.test", outcome="ok") == 1
    assert found.get("notifier_slack_calls_total", method="response_url", outcome="ok") == 1
    assert found.get("notifier_deliveries_open") == found.get("notifier_replies_owed") == 0
    assert found.get("notifier_rate_limit_calls") == 25
    assert found.get("notifier_rate_limit_period_seconds") == 5
    assert (
        found.get("notifier_rate_limit_learned") == found.get("notifier_gate_closed_seconds") == 0
    )
    assert found.get("notifier_database_up") == 1
    assert found.get("process_cpu_seconds_total") > 0


async def test_look_ups_are_calls_that_wait_for_permits_too(world: World) -> None:
    await send(world)
    calls = [call for call in world.crm.calls if call.endpoint != "push"]
    found = await scrape(world)
    assert found.get("notifier_permit_wait_seconds_count", purpose="look_up") == len(calls) > 0
    assert found.get("notifier_crm_calls_total") == len(world.crm.calls)


@pytest.mark.parametrize(
    ("fault", "outcome", "state"),
    [
        (FaultKind.MX_500, "rejected", "rejected"),
        (FaultKind.UNAUTHORIZED_401, "access_401", "rejected"),
        (FaultKind.RESET_AFTER, "uncertain", "unknown"),
    ],
)
async def test_a_failure_is_counted_by_its_kind(
    world: World, fault: FaultKind, outcome: str, state: str
) -> None:
    world.crm.faults.next("push", fault)
    await world.slack.people["alice"].command("/notify", TYPED)
    await world.until_stored(lambda rows: [row.state for row in rows] == [state])
    await world.forward(0)
    found = await scrape(world)
    assert found.get("notifier_crm_calls_total", operation=PUSH, outcome=outcome) == 1
    assert found.get("notifier_deliveries_total", state=state) == 1
    assert found.get("notifier_deliveries_total", state="sent") == 0


async def test_a_refusal_for_the_rate_shows_in_the_gate_and_in_what_waits(
    open_world: OpenWorld,
) -> None:
    world = await open_still(open_world)
    world.crm.faults.next("push", FaultKind.RATE_LIMIT_429)
    await world.slack.people["alice"].command("/notify", TYPED)
    await world.until_stored(lambda rows: [row.code for row in rows] == ["rate_limited"])
    await world.forward(0)
    found = await scrape(world)
    assert found.get("notifier_crm_calls_total", outcome="rate_limited") == 1
    assert found.get("notifier_deliveries_open", state="pending") == 1
    assert found.get("notifier_gate_closed_seconds") == pytest.approx(5, abs=0.1)
    await world.forward(3)
    assert (await scrape(world)).get("notifier_queue_oldest_seconds") == 0  # of the last look
    await world.forward(3)
    await world.slack.people["alice"].sees(SENT)
    await world.forward(READ_EVERY)
    found = await scrape(world)
    assert found.get("notifier_gate_closed_seconds") == 0
    assert found.get("notifier_deliveries_total", state="sent") == 1
    assert found.get("notifier_permit_wait_seconds_sum", purpose="push") >= 5


async def test_what_slack_does_not_take_is_counted_and_owed(open_world: OpenWorld) -> None:
    world = await open_still(open_world)
    for method in ("response_url", "chat.postMessage"):
        world.slack.faults.fail(method, 500)
    await world.slack.people["alice"].command("/notify", TYPED)
    await world.until_stored(lambda rows: any(row.tries == 1 for row in rows), replies)
    await world.forward(0)  # and no further: it would be tried again
    found = await scrape(world)
    assert found.get("notifier_slack_calls_total", method="response_url", outcome="no_answer") == 1
    assert found.get("notifier_replies_total", outcome="put_off") == 1
    assert found.get("notifier_replies_owed") == 1


async def test_a_reply_that_is_lost_is_counted(world: World) -> None:
    world.slack.faults.fail("response_url", "used_url")
    world.slack.faults.fail("chat.postMessage", "is_archived")
    await world.slack.people["alice"].command("/notify", TYPED)
    await world.until_stored(lambda rows: any(row.paid_at for row in rows), replies)
    await world.forward(0)
    found = await scrape(world)
    assert found.get("notifier_replies_total", outcome="lost") == 1
    posts = {"method": "chat.postMessage", "outcome": "is_archived"}
    assert found.get("notifier_slack_calls_total", **posts) == 2


async def test_a_bug_that_somebody_met_is_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr("bot.directory.Directory.get_sender", fail)
    await world.slack.people["alice"].command("/notify", TYPED)
    found = await scrape(world)
    assert found.get("notifier_request_failures_total") == 1
    assert found.get("notifier_acknowledgement_seconds_count", kind="command") == 1


async def test_without_its_database_the_bot_still_tells_what_it_knows(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(world)

    async def refuse(*_: object, **__: object) -> Any:
        raise StoreUnavailableError("away")

    monkeypatch.setattr(world.bot._base.database, "transact", refuse)
    found = await scrape_anew(world)
    assert found.get("notifier_database_up") == 0
    assert not found.has("notifier_queue_oldest_seconds")
    assert found.get("notifier_deliveries_total", state="sent") == 1
    monkeypatch.undo()
    assert (await scrape_anew(world)).get("notifier_database_up") == 1


SAID = "Secret plans of ACME"


async def test_no_label_names_a_person_a_place_or_a_text(world: World) -> None:
    alice = world.slack.people["alice"]
    await send(world, f"@priya {SAID} | Asha asked for 3 pm", shown=SAID)
    await alice.command("/notify", f"@omar @lee {SAID} | again")
    await alice.command("/notify", "whoami @priya")
    await alice.command("/notify", "link @omar omar.x@acme.com")
    await world.until_stored(lambda rows: all(row.settled_at for row in rows), deliveries)
    text = (await scrape_anew(world)).text
    kept = [each for person in world.slack.people.values() for each in (person.id, person.email)]
    places = [each.id for each in world.slack.channels.values()]
    users = [each.id for each in world.crm.users]
    secrets = [ACCESS_KEY, SECRET_KEY, BOT_TOKEN, SIGNING_SECRET]
    for known in filter(None, [*kept, *places, *users, *secrets, SAID, "Priya", "Asha"]):
        assert known not in text


async def test_with_a_token_it_is_asked_for(open_world: OpenWorld) -> None:
    world = await open_world(metrics_token=SecretStr("scrape-me"))
    url = find_url(world)
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 401
    found = await scrape(world, Authorization="Bearer scrape-me")
    assert found.get("notifier_database_up") == 1
