"""What a tutorial's bot is: Bolt with a listener that only acks; `before` sets its one option.

https://docs.slack.dev/tools/bolt-python/concepts/async and /concepts/lazy-listeners, where
`process_before_response` is.
"""

from __future__ import annotations

import os
import sys

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

app = AsyncApp(
    client=AsyncWebClient(
        token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"]
    ),
    signing_secret=os.environ["SLACK_SIGNING_SECRET"],
    process_before_response="before" in sys.argv[1:],
)


@app.command("/notify")
async def notify(ack: AsyncAck) -> None:
    await ack()


if __name__ == "__main__":
    app.start(int(os.environ["PORT"]))
