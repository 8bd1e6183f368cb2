"""What a tutorial's bot is: Bolt with a listener that only acks; `before` sets its one option.

https://docs.slack.dev/tools/bolt-python/concepts/async and /concepts/lazy-listeners, where
`process_before_response` is.
"""

from __future__ import annotations

import os
import sys

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient


async def notify(ack: AsyncAck) -> None:
    await ack()


def main() -> None:
    token = os.environ.pop("SLACK_BOT_TOKEN")  # the client has it, and Bolt warns about two
    app = AsyncApp(
        client=AsyncWebClient(token=token, base_url=os.environ["SLACK_API_URL"]),
        signing_secret=os.environ["SLACK_SIGNING_SECRET"],
        process_before_response="before" in sys.argv[1:],
    )
    app.command("/notify")(notify)
    app.start(int(os.environ["PORT"]))


if __name__ == "__main__":
    main()
