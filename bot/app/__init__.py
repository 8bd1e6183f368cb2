"""The composition root: settings in, one running bot out."""

from bot.app.bot import DRAIN_WITHIN, REPLY_WITHIN, REQUESTS_WITHIN, Bot
from bot.app.foundation import Foundation

__all__ = ["DRAIN_WITHIN", "REPLY_WITHIN", "REQUESTS_WITHIN", "Bot", "Foundation"]
