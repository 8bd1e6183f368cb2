"""The ids that tie what we show to the listener that hears of it."""

from __future__ import annotations

from enum import StrEnum


class CallbackId(StrEnum):
    """Shortcuts (named in manifest.yaml) and the modal they open."""

    NOTIFY_GLOBAL = "notify_global"
    NOTIFY_MESSAGE = "notify_message"
    COMPOSE = "compose"
    CONFIRM = "confirm"


class ActionId(StrEnum):
    """Buttons; the value of each is the id of a notification or, for SEND_DRAFT, of a draft.

    COMPOSE and PREVIEW have none.
    """

    COMPOSE = "compose"
    SEND_DRAFT = "send_draft"
    RETRY = "retry"
    SEND_AGAIN = "send_again"
    CANCEL = "cancel"
    DETAILS = "details"
    PREVIEW = "preview"


class BlockId(StrEnum):
    """The modal's inputs; each is also the `field` of a UserError and its own action id."""

    RECIPIENTS = "recipients"
    GROUPS = "groups"
    KIND = "kind"
    TITLE = "title"
    CONTENT = "content"
    LINK = "link"
    ICON = "icon"
    LEAD = "lead"
    OWNER = "owner"
