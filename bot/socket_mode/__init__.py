"""Socket Mode: Slack's requests come in by a WebSocket that we open, and need no public address.

Not by slack_sdk's client, whose faults cannot be mended from outside: it closes its connection
before it opens the next, so that commands fail in between; after one refused handshake it tries the
same one-time URL for ever, and with a refused token it never returns; it takes any number of
envelopes at once, and acknowledges over whichever connection is the newest.
"""

from bot.socket_mode.envelopes import Envelopes
from bot.socket_mode.keeper import SocketMode

__all__ = ["Envelopes", "SocketMode"]
