"""What a tutorial's bot is: Bolt with its default settings, and a listener that only acks."""

from __future__ import annotations

import os

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

app = AsyncApp(
    client=AsyncWebClient(
        token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"]
    ),
    signing_secret=os.environ["SLACK_SIGNING_SECRET"],
)


@app.command("/notify")
async def notify(ack: AsyncAck) -> None:
    await ack()


if __name__ == "__main__":
    app.start(int(os.environ["PORT"]))
