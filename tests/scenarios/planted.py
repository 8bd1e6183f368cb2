"""A deployment that is fine, to plant one mistake in, and the check that should find it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from bot.doctor.examination import examine
from bot.doctor.findings import Finding, Mark, exit_code
from bot.sandbox.leadsquared import StandInLeadSquared
from bot.sandbox.slack import StandInSlack
from tests.scenarios.world import ACCESS_KEY, BOT_TOKEN, SECRET_KEY, SIGNING_SECRET

NOW = "(julianday('now') - 2440587.5) * 86400.0"
RIGHT_HOST = "api-in21.leadsquared.com"


@dataclass
class Deployment:
    """Both stand-ins, a database in which a bot has run, and the settings of that bot."""

    slack: StandInSlack
    crm: StandInLeadSquared
    elsewhere: StandInLeadSquared
    """In the place of the host that knows every account's."""
    path: Path
    changes: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """A whole environment; an empty value leaves a setting out."""
        return {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_API_URL": self.slack.api_url,
            "LEADSQUARED_URL": self.crm.url,
            "LEADSQUARED_ACCESS_KEY": ACCESS_KEY,
            "LEADSQUARED_SECRET_KEY": SECRET_KEY,
            "LEADSQUARED_TIMEOUT": "1",
            "LEADSQUARED_RATE_PERIOD": "0.2",
            "DATABASE_URL": f"sqlite:///{self.path}",
            "PUBLIC_URL": "https://notifier.acme.example",
            **self.changes,
        }

    def set(self, **changes: str) -> None:
        self.changes |= changes

    def run_sql(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    async def check(self) -> int:
        """Keep what is found, and return the exit code."""
        self.findings = await examine(self.environment, any_region=self.elsewhere.url)
        return exit_code(self.findings)

    def find(self, mark: Mark) -> list[Finding]:
        return [each for each in self.findings if each.mark is mark]


@dataclass(frozen=True)
class Mistake:
    """What is done to the deployment, and the line that has to tell."""

    name: str
    plant: Callable[[Deployment], object]
    line: str
    step: str
    """Words that the line about it and its next step begin with."""
    code: int = 1

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def setting(line: str, step: str, code: int = 1, **changes: str) -> Mistake:
    """Return a mistake in the settings, named by them and their values."""
    name = " ".join(f"{name}={value}" for name, value in changes.items())
    return Mistake(name, lambda site: site.set(**changes), line, step, code)


def owe(site: Deployment, *, age: float, state: str = "pending", code: str | None = None) -> None:
    """Leave a delivery of some age in the database."""
    site.run_sql(
        "INSERT INTO notifications (id, key, sender_id, sender_name, title, content, fingerprint, "
        "accepted_at) VALUES ('n1', 'k1', 'U1', 'Alice', 't', 'c', 'f', 0)",
        "INSERT INTO deliveries (id, notification_id, position, state, due_at, expires_at) "
        "VALUES (1, 'n1', 0, 'pending', 0, 0)",
        f"UPDATE deliveries SET expires_at = {NOW} + 3600 - {age}, settled_at = {NOW} - {age}",  # noqa: S608  # the test's own words
    )
    site.run_sql(f"UPDATE deliveries SET state = '{state}', code = nullif('{code}', 'None')")  # noqa: S608  # the same
