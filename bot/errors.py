"""Every error raised on purpose; each class says what to do about it.

BotError
├── ConfigError                  a setting is missing or wrong; `serve` does not start
├── UserError                    the person's input; nothing was stored
├── SlackError
│   ├── SlackRefusedError        Slack said no, and why
│   └── SlackUnavailableError    no useful answer; may be repeated
│       └── SlackRateLimitedError
├── StoreError
│   ├── StoreUnavailableError    nothing was stored
│   ├── StoreBrokenError         nothing was stored, and waiting will not help; the process ends
│   └── CommitInDoubtError       it may or may not have been stored
└── CrmError
    ├── CrmRejectedError         refused for good
    │   ├── CrmAccessError       refused for good, and so would every other call be
    │   ├── CrmRedirectedError   sent elsewhere
    │   └── CrmUntypedError      a 4xx that is no `MX…` error
    ├── CrmUnavailableError      definitely not taken; may be repeated
    │   ├── CrmConnectError
    │   ├── CrmBusyError
    │   └── CrmRateLimitedError
    └── CrmUncertainError        no certain answer after the request went out; never repeated
"""

from __future__ import annotations

from typing import ClassVar


class BotError(Exception):
    """Base of everything raised on purpose."""

    hint: str = "Something broke on our side; it has been logged. Try again."
    retryable: ClassVar[bool] = False
    in_doubt: ClassVar[bool] = False


class ConfigError(BotError):
    """Settings that `serve` cannot start with; a line for each, without its value."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class UserError(BotError):
    """A mistake a person can mend; `hint` is the sentence they read, `field` where it belongs."""

    def __init__(self, hint: str, *, field: str | None = None) -> None:
        super().__init__(hint)
        self.hint = hint
        self.field = field


class SlackError(BotError):
    """Base of what a call to Slack can end in, other than success."""

    hint = "Slack did not answer a question we had to ask it, so nothing was sent. Try again."


TRIGGERS = {
    "expired_trigger_id": (
        "Slack gives three seconds to open a form, and they were over, so none was opened. "
        "Try again."
    ),
    "exchanged_trigger_id": "The form for this was opened already. To open another, try again.",
}
"""What is said where Slack did not open a form because it was asked too late, or twice."""


class SlackRefusedError(SlackError):
    """Slack answered no; `code` is its own word for it, such as `channel_not_found`."""

    hint = (
        "Slack refused what this needed, so nothing was sent. Try again; if it stays so, an admin "
        "should look into the bot's log."
    )

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.hint = TRIGGERS.get(code, self.hint)


class SlackUnavailableError(SlackError):
    """Slack did not answer in time, or not as it documents."""

    retryable = True


class SlackRateLimitedError(SlackUnavailableError):
    """Slack asks us to come back in `retry_after` seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"rate limited for {retry_after:g} s")
        self.retry_after = retry_after


class StoreError(BotError):
    """Base of what goes wrong between us and the database."""


class StoreUnavailableError(StoreError):
    """The database refused or could not be reached; nothing was stored."""

    hint = "The bot's database is not available, so nothing was stored or sent. Try again shortly."
    retryable = True


class StoreBrokenError(StoreError):
    """The database's file is damaged, or another has taken its place; nothing was stored."""

    hint = (
        "The bot's database is broken, so nothing was stored or sent. An admin should look into "
        "the bot's log."
    )


class CommitInDoubtError(StoreError):
    """A commit was not confirmed in time; it may still have happened."""

    hint = "I could not confirm that this was stored. If it was, the result appears here."
    in_doubt = True


class CrmError(BotError):
    """Base of what a LeadSquared call can end in, other than success.

    `code` is stored with the delivery, so a card can be built from it after a restart;
    `detail` is LeadSquared's own message, if it gave one.
    """

    code: str

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or type(self).__name__)
        self.detail = detail


class CrmRejectedError(CrmError):
    """The CRM refused this call for good."""

    code = "rejected"


class CrmAccessError(CrmRejectedError):
    """401, 403 or 404: the keys, the rights or the address are wrong for every call alike."""

    def __init__(self, detail: str = "", *, status: int) -> None:
        super().__init__(detail)
        self.status = status
        self.code = f"access_{status}"


class CrmRedirectedError(CrmRejectedError):
    """3xx to a push: following it would make a GET of it, and nothing was taken."""

    code = "redirected"


class CrmUntypedError(CrmRejectedError):
    """A 4xx without an `MX…` type: refused, by LeadSquared or something before it."""

    code = "untyped"


class CrmUnavailableError(CrmError):
    """The CRM did not take the call; repeating it cannot make it happen twice."""

    code = "unavailable"
    retryable = True


class CrmConnectError(CrmUnavailableError):
    """No connection was made: refused, DNS, TLS or connect timeout."""

    code = "connect"


class CrmBusyError(CrmUnavailableError):
    """503 without a decision."""

    code = "busy"


class CrmRateLimitedError(CrmUnavailableError):
    """Too many calls; `limit` per `period` seconds where the message names them."""

    code = "rate_limited"

    def __init__(
        self,
        detail: str = "",
        *,
        retry_after: float = 0.0,
        limit: int | None = None,
        period: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.limit = limit
        self.period = period


class CrmUncertainError(CrmError):
    """No certain answer came after the request went out."""

    code = "uncertain"
    in_doubt = True
