"""What is checked in every message that the app posts, whichever way it comes (facts 2.5)."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.blocks import check_blocks, complete_blocks
from bot.sandbox.slack.messages import Blocks
from bot.sandbox.slack.refusal import Refusal
from bot.sandbox.slack.workspace import Workspace

Json = dict[str, Any]

BEST_LENGTH = 4_000
CUT_LENGTH = 40_000


def check_post(workspace: Workspace, where: str, args: Json) -> tuple[str, Blocks]:
    """Return the text and blocks; raise Refusal, and complain about what Slack lets pass."""
    text, given = args.get("text") or "", args.get("blocks") or []
    if not isinstance(text, str):
        raise Refusal("invalid_arguments", ["/text: must be a string"])
    if not text and not given and not args.get("attachments"):
        raise Refusal("no_text")
    problems = check_blocks(given, "message")
    if problems:
        raise Refusal("invalid_blocks", problems)
    if given and not text:
        workspace.complain(f"{where}: blocks without text, which notifications read")
    if len(text) > BEST_LENGTH:
        workspace.complain(f"{where}: text of {len(text)} characters")
    workspace.check_pings(where, text, given)
    _check_auto_links(workspace, where, text, args)
    return text[:CUT_LENGTH], complete_blocks(given, lambda: workspace.next_id("b"))


def _check_auto_links(workspace: Workspace, where: str, text: str, args: Json) -> None:
    """`link_names` and `parse: full` make pings of plain names (facts 5.1)."""
    linked = args.get("link_names") or args.get("parse") == "full"
    if linked and any(name in text for name in ("@here", "@channel", "@everyone")):
        workspace.complain(f"{where}: pings a channel by link_names")
