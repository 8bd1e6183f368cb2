import asyncio
from typing import Any

import pytest

from bot import directory as module
from bot.directory import FEW, KEEP_PEOPLE, KEEP_SENDER, MAY_NOT_SEND, Directory
from bot.errors import (
    CrmAccessError,
    CrmBusyError,
    SlackRateLimitedError,
    SlackRefusedError,
    SlackUnavailableError,
    UserError,
)
from bot.leadsquared.models import CrmUser
from bot.notification import Outcome, State
from bot.people import Description, Link, Person, Standing
from bot.replies.reasons import SENTENCES, SHORT
from bot.roster import Roster
from bot.store.database import Database
from bot.store.people import KEEP_EMAIL_LINKS, PeopleStore
from bot.store.resolutions import Match, NoMatch
from tests.clock import FrozenClock
from tests.fakes import LEE, OMAR, PRIYA, FakeCrm, FakeSlack

TEAM = "T1"
TICK = 0.01
AWAY = SlackUnavailableError("status 502")


def slack_user(user_id: str, email: str | None = None, **changes: Any) -> dict[str, Any]:
    profile = {"display_name": user_id.lower(), "email": email}
    return {"id": user_id, "team_id": TEAM, "profile": profile} | changes


class Desk:
    """A directory over a store, a scripted Slack and a scripted CRM, on one clock."""

    def __init__(self, database: Database, clock: FrozenClock) -> None:
        self.database = database
        self.clock = clock
        self.store = PeopleStore(database)
        self.slack = FakeSlack()
        self.crm = FakeCrm()
        self.crm.users = [
            CrmUser(id=PRIYA, name="Priya Nair", email="priya@acme.test"),
            CrmUser(id=OMAR, name="Omar Ali", email="omar@acme.test", active=False),
        ]
        self.directory = self.open()

    def open(self) -> Directory:
        """Return the directory of a process that has just begun."""
        roster = Roster(self.crm, self.clock)
        return Directory(
            self.store, self.slack, roster, self.clock, team_id=TEAM, admins=["UADMIN"]
        )

    def has(self, *users: dict[str, Any]) -> None:
        self.slack.users |= {user["id"]: user for user in users}


@pytest.fixture
def desk(database: Database, clock: FrozenClock) -> Desk:
    return Desk(database, clock)


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every deadline pass at once."""
    monkeypatch.setattr(module, "SENDER_WITHIN", 0.0)
    monkeypatch.setattr(module, "LOOK_UP_WITHIN", 0.0)


# What Slack says about a person.


@pytest.mark.parametrize(
    ("user", "standing"),
    [
        ({}, Standing.MEMBER),
        ({"team_id": "T2", "enterprise_user": {"teams": ["T2", TEAM]}}, Standing.MEMBER),
        ({"is_restricted": True}, Standing.GUEST),
        ({"is_ultra_restricted": True}, Standing.GUEST),
        ({"is_bot": True}, Standing.BOT),
        ({"id": "USLACKBOT"}, Standing.BOT),
        ({"is_stranger": True}, Standing.EXTERNAL),
        ({"team_id": "T2"}, Standing.EXTERNAL),
        ({"team_id": "T2", "enterprise_user": {"teams": ["T3"]}}, Standing.EXTERNAL),
        ({"team_id": "T2", "enterprise_user": None}, Standing.EXTERNAL),
        ({"team_id": "T2", "is_restricted": True}, Standing.EXTERNAL),
        ({"deleted": True}, Standing.DEACTIVATED),
        ({"deleted": True, "is_bot": True}, Standing.DEACTIVATED),
    ],
)
async def test_a_person_has_the_standing_that_slack_describes(
    desk: Desk, user: dict[str, Any], standing: Standing
) -> None:
    described = slack_user("UA") | user
    desk.has(described)
    user_id = described["id"]
    await desk.directory.look_up([user_id])
    assert (await desk.store.find_people([user_id]))[user_id].standing is standing


async def test_without_a_team_a_person_is_taken_for_one_of_ours(desk: Desk) -> None:
    user = slack_user("UA")
    del user["team_id"]
    desk.has(user)
    assert (await desk.directory.get_sender("UA")).standing is Standing.MEMBER


@pytest.mark.parametrize(
    ("user", "name"),
    [
        ({"profile": {"display_name": "pri", "real_name": "Priya"}, "name": "p"}, "Priya"),
        ({"profile": {"display_name": "pri", "real_name": ""}, "name": "p"}, "pri"),
        ({"profile": {"real_name": " Priya\n\tNair "}}, "Priya Nair"),
        ({"profile": {}, "name": "p"}, "p"),
        ({"profile": None, "name": "p"}, "p"),
        ({"profile": {}}, "UA"),
        ({"profile": "odd", "name": "p"}, "p"),
    ],
)
async def test_a_person_is_called_by_the_best_name_there_is(
    desk: Desk, user: dict[str, Any], name: str
) -> None:
    desk.has(slack_user("UA") | user)
    assert (await desk.directory.get_sender("UA")).name == name


@pytest.mark.parametrize(
    ("email", "kept"),
    [(" Priya@ACME.test ", "priya@acme.test"), ("", None), (None, None), ("  ", None)],
)
async def test_an_email_is_kept_in_lower_case(
    desk: Desk, email: str | None, kept: str | None
) -> None:
    desk.has(slack_user("UA", email))
    assert (await desk.directory.get_sender("UA")).email == kept


@pytest.mark.parametrize(
    ("user", "is_admin"),
    [
        (slack_user("UA"), False),
        (slack_user("UA", is_admin=True), True),
        (slack_user("UA", is_owner=True), True),
        (slack_user("UADMIN"), True),
    ],
)
async def test_admins_are_those_of_slack_and_those_of_the_setting(
    desk: Desk, user: dict[str, Any], is_admin: bool
) -> None:
    desk.has(user)
    sender = await desk.directory.get_sender(user["id"])
    assert desk.directory.is_admin(sender) is is_admin


async def test_a_notification_is_for_its_sender_and_for_admins(desk: Desk) -> None:
    desk.has(slack_user("UA"), slack_user("UB"), slack_user("UADMIN"))
    alice, bob, admin = [await desk.directory.get_sender(user) for user in desk.slack.users]
    may_see = [desk.directory.may_see(person, "UA") for person in (alice, bob, admin)]
    assert may_see == [True, False, True]


# Who acts.


@pytest.mark.parametrize(
    ("user", "standing"),
    [
        ({"is_restricted": True}, Standing.GUEST),
        ({"team_id": "T2"}, Standing.EXTERNAL),
        ({"is_bot": True}, Standing.BOT),
        ({"deleted": True}, Standing.DEACTIVATED),
    ],
)
async def test_who_is_no_member_may_not_send_and_is_told_why(
    desk: Desk, user: dict[str, Any], standing: Standing
) -> None:
    desk.has(slack_user("UA") | user)
    with pytest.raises(UserError) as caught:
        await desk.directory.get_sender("UA")
    assert caught.value.hint == MAY_NOT_SEND[standing]


async def test_a_sender_is_remembered_for_ten_minutes(desk: Desk, clock: FrozenClock) -> None:
    desk.has(slack_user("UA"))
    first = await desk.directory.get_sender("UA")
    clock.forward(KEEP_SENDER - TICK)
    assert await desk.directory.get_sender("UA") == first
    assert desk.slack.tried == ["UA"]
    desk.has(slack_user("UA", deleted=True))
    clock.forward(TICK)
    with pytest.raises(UserError):
        await desk.directory.get_sender("UA")


async def test_a_new_process_knows_the_senders_of_the_last_ten_minutes(
    desk: Desk, clock: FrozenClock
) -> None:
    desk.has(slack_user("UA"))
    await desk.directory.get_sender("UA")
    clock.forward(KEEP_SENDER - TICK)
    await desk.open().get_sender("UA")
    assert desk.slack.tried == ["UA"]
    clock.forward(2 * TICK)
    await desk.open().get_sender("UA")
    assert desk.slack.tried == ["UA", "UA"]


@pytest.mark.parametrize("error", [AWAY, SlackRateLimitedError(9.0), TimeoutError()])
async def test_while_slack_is_away_a_sender_known_from_before_may_go_on(
    desk: Desk, clock: FrozenClock, error: Exception
) -> None:
    desk.has(slack_user("UA"))
    first = await desk.directory.get_sender("UA")
    clock.forward(KEEP_SENDER)
    desk.slack.refuse("UA", error)
    assert await desk.directory.get_sender("UA") == first


async def test_while_slack_is_away_a_stranger_is_told_to_try_again(desk: Desk) -> None:
    desk.slack.refuse("UA", AWAY)
    with pytest.raises(SlackUnavailableError) as caught:
        await desk.directory.get_sender("UA")
    assert caught.value.__cause__ is AWAY
    desk.has(slack_user("UA"))
    assert await desk.directory.get_sender("UA")


@pytest.mark.usefixtures("no_patience")
async def test_a_slack_that_does_not_answer_in_time_is_away(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.slack, "fetch_user", never)
    with pytest.raises(SlackUnavailableError):
        await desk.directory.get_sender("UA")


async def never(*_: object, **__: object) -> Any:
    await asyncio.Event().wait()


async def test_a_sender_whom_slack_refuses_to_show_is_an_error(desk: Desk) -> None:
    desk.slack.refuse("UA", SlackRefusedError("user_not_found"))
    with pytest.raises(SlackRefusedError):
        await desk.directory.get_sender("UA")


# Names.


async def test_names_known_already_are_found_without_asking(desk: Desk) -> None:
    assert await desk.directory.find_names([]) == {}
    desk.has(slack_user("UA"))
    await desk.directory.get_sender("UA")
    desk.slack.tried.clear()
    assert await desk.directory.find_names(["UA", "UB"]) == {"UA": "ua"}
    assert await desk.directory.fetch_names(["UA"]) == {"UA": "ua"}
    assert desk.slack.tried == []


async def test_names_not_known_are_asked_for_and_kept(desk: Desk) -> None:
    desk.has(slack_user("UA"), slack_user("UB"))
    desk.slack.refuse("UC", SlackRefusedError("user_not_found"))
    names = await desk.directory.fetch_names(["UA", "UB", "UC"])
    assert names == {"UA": "ua", "UB": "ub"}
    assert await desk.directory.find_names(["UA", "UB"]) == names


async def test_only_a_few_names_are_asked_for(desk: Desk) -> None:
    users = [f"U{number:02}" for number in range(FEW + 5)]
    desk.has(*(slack_user(user) for user in users))
    assert set(await desk.directory.fetch_names(users)) == set(users[:FEW])
    assert sorted(desk.slack.tried) == users[:FEW]


@pytest.mark.usefixtures("no_patience")
async def test_names_that_do_not_come_in_time_are_done_without(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.slack, "fetch_user", never)
    assert await desk.directory.fetch_names(["UA"]) == {}
    await asyncio.sleep(0)  # so that the read is told


# Look-ups.


async def test_a_member_is_found_by_email_and_linked(desk: Desk, clock: FrozenClock) -> None:
    desk.has(slack_user("UA", "Priya@acme.test"))
    assert await desk.directory.look_up(["UA"]) == {"UA": Match(PRIYA, "ua")}
    linked = Link("UA", PRIYA, "Priya Nair", "priya@acme.test", None, clock.time())
    assert await desk.store.find_link("UA") == linked


@pytest.mark.parametrize(
    ("user", "code"),
    [
        (slack_user("UA", "priya@acme.test", is_restricted=True), "guest"),
        (slack_user("UA", "priya@acme.test", is_bot=True), "bot"),
        (slack_user("UA", "priya@acme.test", team_id="T2"), "external"),
        (slack_user("UA", "priya@acme.test", deleted=True), "deactivated"),
        (slack_user("UA"), "no_email"),
        (slack_user("UA", "omar@acme.test"), "inactive"),
        (slack_user("UA", "nobody@acme.test"), "not_in_crm"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_who_is_not_matched_has_a_reason_with_a_sentence(
    desk: Desk, user: dict[str, Any], code: str
) -> None:
    desk.has(user)
    found = await desk.directory.look_up(["UA"])
    assert found == {"UA": NoMatch(Outcome(State.UNLINKED, code), "ua")}
    assert code in SENTENCES
    assert code in SHORT
    assert await desk.store.find_link("UA") is None


@pytest.mark.parametrize("refusal", ["user_not_found", "user_not_visible", "a_new_word"])
async def test_who_is_unknown_to_slack_is_told_as_such(desk: Desk, refusal: str) -> None:
    desk.slack.refuse("UA", SlackRefusedError(refusal))
    found = await desk.directory.look_up(["UA"])
    assert found == {"UA": NoMatch(Outcome(State.UNLINKED, "unknown_person"))}
    assert "unknown_person" in SENTENCES


async def test_without_an_email_the_crm_is_not_asked(desk: Desk) -> None:
    desk.has(slack_user("UA"))
    await desk.directory.look_up(["UA"])
    assert desk.crm.calls == []


@pytest.mark.parametrize(
    "error", [SlackRefusedError("missing_scope"), SlackRefusedError("token_revoked"), AWAY]
)
async def test_a_look_up_that_slack_does_not_answer_fails(desk: Desk, error: Exception) -> None:
    desk.slack.refuse("UA", error)
    with pytest.raises(type(error)):
        await desk.directory.look_up(["UA"])


async def test_a_look_up_that_the_crm_does_not_answer_fails(desk: Desk) -> None:
    desk.has(slack_user("UA", "priya@acme.test"))
    desk.crm.answers = [CrmBusyError()]
    with pytest.raises(CrmBusyError):
        await desk.directory.look_up(["UA"])


async def test_a_few_are_read_one_by_one_and_kept_for_hours(desk: Desk, clock: FrozenClock) -> None:
    users = [f"U{number:02}" for number in range(FEW)]
    desk.has(*(slack_user(user) for user in users))
    await desk.directory.look_up(users)
    assert desk.slack.tried == users
    clock.forward(KEEP_PEOPLE - TICK)
    await desk.directory.look_up(users)
    assert desk.slack.tried == users
    clock.forward(2 * TICK)
    await desk.directory.look_up(users)
    assert desk.slack.tried == users + users


async def test_many_are_read_at_once_and_those_left_over_one_by_one(desk: Desk) -> None:
    users = [f"U{number:02}" for number in range(FEW + 1)]
    desk.has(*(slack_user(user) for user in users), slack_user("UZ"))
    everybody = desk.slack.users
    desk.slack.users = {user: each for user, each in everybody.items() if user != users[3]}
    desk.slack.refuse(users[3], SlackRefusedError("user_not_found"))
    found = await desk.directory.look_up(users)
    assert desk.slack.tried == ["everybody", users[3]]
    assert set(found) == set(users)
    assert found[users[3]] == NoMatch(Outcome(State.UNLINKED, "unknown_person"))
    assert set(await desk.store.find_people([*users, "UZ"])) == {*users, "UZ"} - {users[3]}


# Stored links.


async def test_a_link_by_email_holds_for_a_day_and_one_by_an_admin_for_ever(
    desk: Desk, clock: FrozenClock
) -> None:
    admin = Person("UADMIN", "Ada", None, Standing.MEMBER, is_admin=True)
    desk.has(slack_user("UA", "priya@acme.test"))
    await desk.directory.look_up(["UA"])
    await desk.directory.link("UB", "priya@acme.test", admin=admin, key="k1")
    clock.forward(KEEP_EMAIL_LINKS - TICK)
    assert await desk.directory.find_linked(["UA", "UB", "UC"]) == {
        "UA": Match(PRIYA, "ua"),
        "UB": Match(PRIYA, "Priya Nair"),
    }
    clock.forward(TICK)
    assert set(await desk.directory.find_linked(["UA", "UB"])) == {"UB"}


ADMIN = Person("UADMIN", "Ada", None, Standing.MEMBER, is_admin=True)


@pytest.mark.parametrize("wanted", ["priya@acme.test", PRIYA])
async def test_an_admin_links_by_email_or_id(desk: Desk, wanted: str) -> None:
    link = await desk.directory.link("UB", wanted, admin=ADMIN, key="k1")
    assert link == Link("UB", PRIYA, "Priya Nair", "priya@acme.test", "UADMIN")
    assert set(await desk.directory.find_linked(["UB"])) == {"UB"}


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("nobody@acme.test", "LeadSquared has no user nobody@acme.test, so nothing was changed."),
        (LEE, f"LeadSquared has no user {LEE}, so nothing was changed."),
        ("<!channel>@x", "LeadSquared has no user &lt;!channel&gt;@x, so nothing was changed."),
        ("omar@acme.test", "omar@acme.test is deactivated in LeadSquared, so nothing was changed."),
        (OMAR, f"{OMAR} is deactivated in LeadSquared, so nothing was changed."),
    ],
)
async def test_a_link_to_nobody_or_somebody_inactive_is_refused(
    desk: Desk, wanted: str, sentence: str
) -> None:
    with pytest.raises(UserError) as caught:
        await desk.directory.link("UB", wanted, admin=ADMIN, key="k1")
    assert caught.value.hint.startswith(sentence)
    assert await desk.store.find_link("UB") is None


async def test_a_link_while_the_crm_is_away_changes_nothing(desk: Desk) -> None:
    desk.crm.answers = [CrmBusyError()]
    with pytest.raises(UserError, match="could not be asked just now, so nothing was changed"):
        await desk.directory.link("UB", "priya@acme.test", admin=ADMIN, key="k1")
    assert await desk.store.find_link("UB") is None


@pytest.mark.usefixtures("no_patience")
async def test_a_link_does_not_wait_for_a_slow_crm(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.crm, "fetch_users", never)
    with pytest.raises(UserError, match="could not be asked just now"):
        await desk.directory.link("UB", "priya@acme.test", admin=ADMIN, key="k1")


async def test_unlinking_tells_whether_there_was_a_link(desk: Desk) -> None:
    await desk.directory.link("UB", PRIYA, admin=ADMIN, key="k1")
    assert await desk.directory.unlink("UB", key="k2")
    assert not await desk.directory.unlink("UB", key="k3")
    assert await desk.directory.find_linked(["UB"]) == {}


async def test_linking_and_unlinking_have_their_effect_once_for_an_interaction(desk: Desk) -> None:
    await desk.directory.link("UB", PRIYA, admin=ADMIN, key="k1")
    await desk.directory.unlink("UB", key="k2")
    with pytest.raises(UserError, match="nothing was changed this time"):
        await desk.directory.link("UB", PRIYA, admin=ADMIN, key="k1")
    assert await desk.store.find_link("UB") is None
    await desk.directory.link("UB", PRIYA, admin=ADMIN, key="k3")
    with pytest.raises(UserError, match="nothing was changed this time"):
        await desk.directory.unlink("UB", key="k2")
    assert await desk.store.find_link("UB") is not None


async def test_the_key_owner_is_the_one_of_the_crm(desk: Desk) -> None:
    assert await desk.directory.get_key_owner_id() == PRIYA


# Who am I.


async def test_a_linked_person_is_described_without_asking_the_crm(
    desk: Desk, clock: FrozenClock
) -> None:
    desk.has(slack_user("UA", "priya@acme.test"))
    await desk.directory.look_up(["UA"])
    desk.crm.calls.clear()
    known = await desk.directory.describe("UA")
    assert known.person.name == "ua"
    assert known.link == Link("UA", PRIYA, "Priya Nair", "priya@acme.test", None, clock.time())
    assert known.problem is None
    assert desk.crm.calls == []


async def test_a_person_not_linked_yet_is_looked_up(desk: Desk, clock: FrozenClock) -> None:
    desk.has(slack_user("UA", "priya@acme.test"))
    known = await desk.directory.describe("UA")
    assert known.link == Link("UA", PRIYA, "Priya Nair", "priya@acme.test", None, clock.time())


async def test_an_old_link_by_email_is_looked_up_again(desk: Desk, clock: FrozenClock) -> None:
    desk.has(slack_user("UA", "priya@acme.test"))
    await desk.directory.look_up(["UA"])
    clock.forward(KEEP_EMAIL_LINKS)
    desk.crm.users = []
    known = await desk.directory.describe("UA")
    assert (known.link, known.problem) == (None, "not_in_crm")


async def test_a_person_unknown_to_slack_cannot_be_described(desk: Desk) -> None:
    desk.slack.refuse("UA", SlackRefusedError("user_not_found"))
    with pytest.raises(UserError, match="Slack does not know that person"):
        await desk.directory.describe("UA")


async def test_a_person_without_a_match_is_described_with_the_reason(desk: Desk) -> None:
    desk.has(slack_user("UA", "priya@acme.test", is_restricted=True))
    known = await desk.directory.describe("UA")
    assert (known.link, known.problem) == (None, "guest")


@pytest.mark.parametrize("error", [CrmBusyError(), CrmAccessError(status=401)])
async def test_while_the_crm_is_away_the_description_says_so(desk: Desk, error: Exception) -> None:
    desk.has(slack_user("UA", "priya@acme.test"))
    desk.crm.answers = [error]
    known = await desk.directory.describe("UA")
    assert (known.link, known.problem) == (None, "unavailable")
    assert known.problem in SHORT


@pytest.mark.usefixtures("no_patience")
async def test_a_description_does_not_wait_for_a_slow_crm(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Person("UA", "Ada", "priya@acme.test", Standing.MEMBER, is_admin=False)
    await desk.store.save_people([person])
    monkeypatch.setattr(desk.crm, "fetch_users", never)
    assert await desk.directory.describe("UA") == Description(person, None, "unavailable")


async def test_a_slow_database_is_not_taken_for_a_slow_slack(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no time at all: what answers at once is in time, and storing it takes a moment."""
    monkeypatch.setattr(module, "SENDER_WITHIN", 0.0)
    desk.has(slack_user("UA", "priya@acme.test"))
    assert (await desk.directory.get_sender("UA")).email == "priya@acme.test"
    assert set(await desk.store.find_people(["UA"])) == {"UA"}
