"""One process: the port bound at once, the bot behind it, and an orderly end."""

from __future__ import annotations

import asyncio
import signal

import structlog
from aiohttp import web

from bot.app import REQUESTS_WITHIN, Bot, Foundation
from bot.config import EXAMPLES, Settings
from bot.errors import ConfigError
from bot.listening import build_runner

log = structlog.get_logger()


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; further signals change nothing.

    Raises what ended the bot, if it was not a signal.
    """
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    if settings.slack_app_token and settings.slack_signing_secret:
        log.info("settings.socket_mode_preferred", using="SLACK_APP_TOKEN")
    bot = Bot(Foundation(settings))
    runner = build_runner(bot.build_web(), shutdown_timeout=REQUESTS_WITHIN)
    await runner.setup()
    try:
        await _bind(runner, settings.port)
        log.info("server.listening", port=runner.addresses[0][1])
        working = asyncio.create_task(bot.run(), name="bot")
        signalled = asyncio.create_task(stopping.wait(), name="signal")
        await asyncio.wait({working, signalled}, return_when=asyncio.FIRST_COMPLETED)
        log.info("server.stopping")
        bot.stop()
    finally:
        await runner.cleanup()
    signalled.cancel()
    await working


async def _bind(runner: web.AppRunner, port: int) -> None:
    try:
        await web.TCPSite(runner, port=port).start()
    except OSError as exc:
        raise ConfigError(
            [f"PORT: {port} cannot be bound ({exc.strerror}). Example: {EXAMPLES['PORT']}"]
        ) from exc
