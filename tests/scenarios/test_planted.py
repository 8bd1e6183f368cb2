"""Each of the mistakes that people make is found, named with its next step, and nothing else is."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from shutil import copyfile

import pytest

from bot.doctor.findings import Mark
from bot.sandbox.leadsquared import FaultKind, StandInLeadSquared
from bot.sandbox.slack import StandInSlack
from bot.store.database import open_database
from bot.store.gate import GateStore, Limits
from tests.scenarios.planted import (
    NOW,
    RIGHT_HOST,
    Deployment,
    Mistake,
    owe,
    setting,
)
from tests.scenarios.world import ACCESS_KEY, APP_TOKEN, BOT_TOKEN, SECRET_KEY, SIGNING_SECRET

COPY_TOKEN = "Copy the Bot User OAuth Token, which begins with xoxb-"
COPY_KEYS = "Copy both keys again from"
API_HOST = "Set it to the API host that LeadSquared shows"
RIGHT = f"Set it to https://{RIGHT_HOST}"
AGAIN = "Check again in a minute"


def be_somewhere_else(site: Deployment) -> None:
    site.elsewhere.api.right_host = RIGHT_HOST


def answer_like_a_web_page(site: Deployment) -> None:
    site.crm.faults.always("*", FaultKind.HTML_200)
    be_somewhere_else(site)


def shift(site: Deployment, seconds: float | None) -> None:
    site.slack.date_shift = site.crm.date_shift = site.elsewhere.date_shift = seconds


def use_sockets(site: Deployment, app_token: str = APP_TOKEN, fault: str | None = None) -> None:
    site.slack.uses_sockets = True
    if fault is not None:
        site.slack.faults.fail("apps.connections.open", fault)
    site.set(SLACK_APP_TOKEN=app_token, SLACK_SIGNING_SECRET="")


def meet(site: Deployment) -> None:
    people = ", ".join(f"('U{n}', 'P{n}', 'p@a.b', 'member', false, 0)" for n in range(1, 6))
    site.run_sql(f"INSERT INTO people VALUES {people}")  # noqa: S608  # the test's own words


MISTAKES = [
    setting("✗ SLACK_BOT_TOKEN: is missing", "Set it like this: xoxb-", 78, SLACK_BOT_TOKEN=""),
    setting(
        "✗ SLACK_BOT_TOKEN: this is a user's token", COPY_TOKEN, 78, SLACK_BOT_TOKEN="xoxp-1-user"
    ),
    setting(
        "✗ SLACK_BOT_TOKEN: this is the app-level token, which belongs into SLACK_APP_TOKEN",
        COPY_TOKEN,
        78,
        SLACK_BOT_TOKEN="xapp-1-A0-secret",
    ),
    setting(
        "✗ SLACK_BOT_TOKEN: this token expires, because token rotation is on",
        "Make the app anew from the manifest",
        78,
        SLACK_BOT_TOKEN="xoxe.xoxb-1-rotated",
    ),
    setting(
        "✗ SLACK_BOT_TOKEN: has quotation marks around it",
        "Set SLACK_BOT_TOKEN without them",
        78,
        SLACK_BOT_TOKEN=f'"{BOT_TOKEN}"',
    ),
    setting(
        "✗ SLACK_SIGNING_SECRET: is missing",
        "Set it like this: 32 hex digits",
        78,
        SLACK_SIGNING_SECRET="",
    ),
    setting(
        "✗ SLACK_SIGNING_SECRET: does not look like a signing secret",
        "Copy the Signing Secret, and no token",
        SLACK_SIGNING_SECRET="Zm9yIHRoZSBjbGllbnQgc2VjcmV0",
    ),
    setting(
        "✗ LEADSQUARED_SECRET_KEY: has quotation marks around it",
        "Set LEADSQUARED_SECRET_KEY without them",
        LEADSQUARED_SECRET_KEY=f"'{SECRET_KEY}'",
    ),
    setting(
        "✗ LEADSQUARED_ACCESS_KEY: LeadSquared refuses the keys (401): “Invalid Access Details",
        COPY_KEYS,
        LEADSQUARED_ACCESS_KEY=SECRET_KEY,
        LEADSQUARED_SECRET_KEY=ACCESS_KEY,
    ),
    setting(
        "✗ LEADSQUARED_URL: must begin with https://",
        "Set it like this: https://api-in21.leadsquared.com",
        78,
        LEADSQUARED_URL="http://crm.example.com",
    ),
    setting(
        "✗ LEADSQUARED_URL: 127.0.0.1 cannot be reached",
        API_HOST,
        LEADSQUARED_URL="http://127.0.0.1:9",
    ),
    setting(
        "! LEADSQUARED_RESERVED: keeps all 2 calls of LEADSQUARED_RATE_LIMIT",
        "Set it to 1",
        0,
        LEADSQUARED_RESERVED="5",
        LEADSQUARED_RATE_LIMIT="2",
    ),
    setting(
        "! LEADSQUARED_ACESS_KEY: is no setting of this bot",
        "Rename it to LEADSQUARED_ACCESS_KEY",
        0,
        LEADSQUARED_ACESS_KEY="u$r0whatever",
    ),
    setting(
        "! SLACK_CLIENT_ID and SLACK_CLIENT_SECRET: switches Slack's library",
        "Remove it from the environment",
        0,
        SLACK_CLIENT_ID="1.2",
        SLACK_CLIENT_SECRET="client-secret-1",
    ),
    setting(
        "! HTTPS_PROXY: sends what the bot says to Slack through a proxy",
        "Remove it from the bot's environment",
        0,
        HTTPS_PROXY="http://user:proxy-pass@10.0.0.1:3128",
    ),
    setting(
        "! KEEP_DAYS: is shorter than DELIVER_WITHIN",
        "Set KEEP_DAYS to 3 or more",
        0,
        KEEP_DAYS="1",
        DELIVER_WITHIN="200000",
    ),
    setting("! PORT: is 0", "Set it like this: 3000", 0, PORT="0"),
    setting("✗ PORT: input should be less", "Set it like this: 3000", 78, PORT="99999"),
    setting(
        "✗ PUBLIC_URL: must begin with https://",
        "Set it like this: https://",
        78,
        PUBLIC_URL="http://notifier.example.com",
    ),
    setting(
        "! PUBLIC_URL: is an address of this machine",
        "Set it to the public address",
        0,
        PUBLIC_URL="http://localhost:3000",
    ),
    setting(
        "! PUBLIC_URL: has a path",
        "Set it without a path",
        0,
        PUBLIC_URL="https://notifier.example.com/slack/events",
    ),
    setting("✗ ADMINS: holds something that is no id", "Use ids, not names", 1, ADMINS="@alice"),
    setting(
        "✗ ALLOWED_CHANNELS: holds something that is no id",
        "Use ids, not names",
        ALLOWED_CHANNELS="#sales",
    ),
    setting(
        "✗ ALLOWED_USERGROUP: must be the id of one user group",
        "Set it like this: S012AB3CD",
        78,
        ALLOWED_USERGROUP="@sales",
    ),
    setting(
        "✗ ALLOWED_LINK_HOSTS: holds something that is no bare host name",
        "Write hosts without https:// and path",
        ALLOWED_LINK_HOSTS="https://example.com/",
    ),
    setting(
        "✗ DATABASE_URL: must begin with sqlite:// or postgres://",
        "Set it like this: postgres://",
        78,
        DATABASE_URL="mysql://u:database-pass@h/n",
    ),
    setting("✗ DATABASE_URL: this host (DYNO is set) deletes", "Set it like", 78, DYNO="web.1"),
    setting(
        "! ALLOW_EPHEMERAL_SQLITE: keeps accepted notifications in a file",
        "Make sure that the file is on a disk that lasts",
        0,
        DYNO="web.1",
        ALLOW_EPHEMERAL_SQLITE="1",
    ),
    setting(
        "✗ DATABASE_URL: the database cannot be used: the folder /no/such does not exist",
        "Check that it is the address of a database",
        DATABASE_URL="sqlite:////no/such/bot.db",
    ),
    Mistake(
        "the file is no database",
        lambda site: site.path.write_bytes(b"These are no pages of SQLite. " * 300),
        "✗ DATABASE_URL: the file cannot be used: file is not a database",
        "Restore it from a backup, or move it away to begin with an empty one",
    ),
    Mistake(
        "tables of another program",
        lambda site: site.run_sql("UPDATE alembic_version SET version_num = 'ae1027a6acf'"),
        "✗ Tables: belong to another program",
        "Give the bot a database of its own in DATABASE_URL",
    ),
    Mistake(
        "tables of an older version",
        lambda site: site.run_sql("UPDATE alembic_version SET version_num = '0000'"),
        "! Tables: are of revision 0000, this version needs",
        "Start the bot, which does it, or run `python -m bot migrate`",
        0,
    ),
    Mistake(
        "tables of a newer version",
        lambda site: site.run_sql("UPDATE alembic_version SET version_num = '9999'"),
        "! Tables: are of revision 9999, which is newer",
        "Run the newest version everywhere",
        0,
    ),
    Mistake(
        "another address before",
        lambda site: site.run_sql("UPDATE gates SET account = 'https://api.leadsquared.com'"),
        "! LEADSQUARED_URL: no bot has run with it on this database, but with api.leadsquared.com",
        "If LeadSquared has not moved your account, set it back",
        0,
    ),
    Mistake(
        "a token that Slack does not know",
        lambda site: site.slack.faults.fail("auth.test", "invalid_auth"),
        "✗ SLACK_BOT_TOKEN: Slack refuses it: Slack does not know it",
        COPY_TOKEN,
        78,
    ),
    Mistake(
        "the app was removed",
        lambda site: site.slack.faults.fail("auth.test", "account_inactive"),
        "✗ SLACK_BOT_TOKEN: Slack refuses it: the app was removed from the workspace",
        "Install the app again in Slack",
        78,
    ),
    Mistake(
        "a token that has expired",
        lambda site: site.slack.faults.fail("auth.test", "token_expired"),
        "✗ SLACK_BOT_TOKEN: Slack refuses it: it has expired, because token rotation is on",
        "Make the app anew from the manifest",
        78,
    ),
    Mistake(
        "the app token of another app",
        lambda site: use_sockets(site, app_token="xapp-1-of-another-app"),
        "✗ SLACK_APP_TOKEN: Slack refuses it (invalid_auth)",
        "See in Slack that your app > Socket Mode is on",
        78,
    ),
    Mistake(
        "an app token without its scope",
        lambda site: use_sockets(site, fault="missing_scope"),
        "✗ SLACK_APP_TOKEN: Slack refuses it (missing_scope)",
        "See in Slack that your app > Socket Mode is on",
        78,
    ),
    Mistake(
        "an app token that was asked about too often",
        lambda site: use_sockets(site, fault="ratelimited:30"),
        "! SLACK_APP_TOKEN: could not be tried",
        AGAIN,
        0,
    ),
    Mistake(
        "an installation for all workspaces",
        lambda site: site.slack.api.identity.update(is_enterprise_install=True),
        "! SLACK_BOT_TOKEN: belongs to a whole organisation",
        "Install the app to the workspace alone",
        0,
    ),
    Mistake(
        "a scope less",
        lambda site: site.slack.scopes.remove("users:read.email"),
        "✗ Scopes: missing: users:read.email (the address that leads to the LeadSquared user)",
        "Add it under Slack: your app > OAuth & Permissions > Scopes",
    ),
    Mistake(
        "Slack answers with somebody else's page",
        lambda site: site.slack.faults.fail("auth.test", "garbage"),
        "✗ Slack: could not be reached, or did not answer as Slack does",
        "Check the host's way to the internet",
    ),
    Mistake(
        "Slack is asked too often",
        lambda site: site.slack.faults.fail("auth.test", "ratelimited:5"),
        "! Slack: asks to be asked less often",
        AGAIN,
        0,
    ),
    Mistake(
        "the host of another region",
        lambda site: setattr(site.crm.api, "right_host", RIGHT_HOST),
        "✗ LEADSQUARED_URL: 127.0.0.1 is not this account's host, so everything else is refused",
        RIGHT,
    ),
    Mistake(
        "the host where people sign in",
        answer_like_a_web_page,
        "✗ LEADSQUARED_URL: 127.0.0.1 has no LeadSquared API",
        RIGHT,
    ),
    Mistake(
        "a host with nothing at our paths",
        lambda site: site.crm.faults.always("*", FaultKind.NOT_FOUND_404),
        "✗ LEADSQUARED_URL: 127.0.0.1 has no LeadSquared API",
        API_HOST,
    ),
    Mistake(
        "keys of somebody who has left",
        lambda site: setattr(site.crm.account.owner, "active", False),
        "✗ LEADSQUARED_ACCESS_KEY: LeadSquared refuses the keys (401)",
        COPY_KEYS,
    ),
    Mistake(
        "LeadSquared does not answer",
        lambda site: site.crm.faults.always("*", FaultKind.HANG),
        "✗ LeadSquared: 127.0.0.1 did not answer as LeadSquared does",
        API_HOST,
    ),
    Mistake(
        "others use up the limit",
        lambda site: site.crm.faults.always("*", FaultKind.RATE_LIMIT_429),
        "! LeadSquared: is too busy to answer just now",
        AGAIN,
        0,
    ),
    Mistake(
        "a clock that is a minute off",
        lambda site: shift(site, 61.0),
        "! Clock: this machine is 6",
        "Let the host set its clock by NTP",
        0,
    ),
    Mistake(
        "a clock that is seven minutes off",
        lambda site: shift(site, -450.0),
        "✗ Clock: this machine is 7 minutes ahead, so Slack's requests are taken for forged",
        "Let the host set its clock by NTP",
    ),
    Mistake(
        "nobody tells the time",
        lambda site: shift(site, None),
        "! Clock: nobody told the time",
        "Check again",
        0,
    ),
    Mistake(
        "a queue that does not move",
        lambda site: owe(site, age=600.0),
        "! Queue: 1 waiting, the oldest for 10 minutes",
        "Mend what is marked here first",
        0,
    ),
    Mistake(
        "a push that was refused",
        lambda site: owe(site, age=180.0, state="rejected", code="access_401"),
        "! Last error: 3 minutes ago, LeadSquared refused our keys",
        "An admin should check LEADSQUARED_ACCESS_KEY",
        0,
    ),
    Mistake(
        "a smaller plan than the settings say",
        lambda site: site.run_sql(
            "UPDATE gates SET learned_limit = 10, learned_period = 5, learned_under = '25/0.2'",
            f"UPDATE gates SET learned_at = {NOW}",  # noqa: S608  # the test's own words
        ),
        "! Limit: 10 calls in 5 s, 0 taken; LeadSquared refused what the settings say",
        "If it stays so, set LEADSQUARED_RATE_LIMIT to 10 and LEADSQUARED_RATE_PERIOD to 5",
        0,
    ),
    Mistake(
        "nobody is linked",
        meet,
        "! Teammates: 0 of 5 the bot has met are linked; not: P1, P2, P3, P4, P5",
        "See why with `/notify whoami @somebody`",
        0,
    ),
]


@pytest.fixture
async def site(empty_database: Path, tmp_path: Path) -> AsyncIterator[Deployment]:
    slack = StandInSlack(SIGNING_SECRET, BOT_TOKEN, app_token=APP_TOKEN)
    crm, elsewhere = (StandInLeadSquared(ACCESS_KEY, SECRET_KEY) for _ in range(2))
    await asyncio.gather(slack.start(), crm.start(), elsewhere.start())
    path = tmp_path / "bot.db"
    copyfile(empty_database, path)
    database = open_database(f"sqlite:///{path}")
    await GateStore(database, Limits(25, 0.2, 2, 1.0), crm.url).prepare()
    await database.close()
    yield Deployment(slack, crm, elsewhere, path)
    await asyncio.gather(slack.stop(), crm.stop(), elsewhere.stop())
    assert slack.violations == crm.violations == elsewhere.violations == []


async def test_without_a_mistake_there_are_ticks_alone(site: Deployment) -> None:
    assert await site.check() == 0
    assert [each.line for each in site.findings if each.mark is not Mark.FINE] == []
    assert [each.name for each in site.findings] == [
        "Settings",
        "Manifest",
        "SLACK_BOT_TOKEN",
        "Scopes",
        "LeadSquared",
        "Database",
        "Tables",
        "Limit",
        "Queue",
        "Teammates",
        "Last error",
        "Clock",
    ]


async def test_in_socket_mode_the_app_token_is_tried_too(site: Deployment) -> None:
    use_sockets(site)
    assert await site.check() == 0
    assert [each.line for each in site.findings if each.mark is not Mark.FINE] == []
    assert "✓ SLACK_APP_TOKEN: Slack takes it for Socket Mode." in [
        each.line for each in site.findings
    ]


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
async def test_a_planted_mistake_is_found_with_its_next_step(
    site: Deployment, mistake: Mistake
) -> None:
    mistake.plant(site)
    code = await site.check()
    lines = [each.line for each in site.findings]
    matching = [each for each in site.findings if each.line.startswith(mistake.line)]
    assert len(matching) == 1, lines
    [found] = matching
    assert found.step.startswith(mistake.step)
    assert [each for each in site.find(Mark.WRONG) if each is not found] == []
    assert code == mistake.code, lines
