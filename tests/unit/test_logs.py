import io
import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Never

import pytest
import structlog

from bot.logs import set_up_logs

SECRET = "s3cret-0123456789"
MAIL = "priya@acme.com"

Read = Callable[[], list[dict[str, Any]]]


class Output:
    """The logs of a process, set up as it does; what the tests had is put back at the end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.stream = io.StringIO()

    def set_up(self, level: str = "info") -> None:
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", self.stream)
            set_up_logs(level, [SECRET])

    def read(self) -> str:
        """Return what was printed; nothing else is, and no secret."""
        out = self.stream.getvalue()
        assert "".join(self._capsys.readouterr()) == ""
        assert SECRET not in out
        assert MAIL not in out
        return out

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.read().splitlines()]


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Output]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    before, hook = structlog.get_config(), sys.unraisablehook
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        yield Output(monkeypatch, capsys)
        logging.captureWarnings(False)
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)
    sys.unraisablehook = hook


@pytest.fixture
def read(output: Output) -> Read:
    output.set_up()
    return output.lines


def raise_lookup() -> Never:
    raise LookupError(f"GET https://example.com/x?accessKey=abc for {MAIL}")


def fail() -> None:
    try:
        raise_lookup()
    except LookupError as exc:
        error = ValueError(f"refused {SECRET}")
        error.add_note(f"while asking for {MAIL}")
        raise error from exc


def test_an_event_is_a_line(read: Read) -> None:
    structlog.get_logger().info("reply.paid", reply=7, notification="ab12cd34")
    (line,) = read()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "reply.paid",
        "level": "info",
        "reply": 7,
        "notification": "ab12cd34",
    }


def test_what_is_bound_to_a_request_is_in_its_lines(read: Read) -> None:
    with structlog.contextvars.bound_contextvars(request="0a1b2c3d"):
        structlog.get_logger().warning("request.timed_out")
        logging.getLogger("library").error("it broke")
    structlog.get_logger().info("bot.ready")
    assert [line.get("request") for line in read()] == ["0a1b2c3d", "0a1b2c3d", None]


def test_a_traceback_is_one_line_without_what_its_messages_say_of_secrets(read: Read) -> None:
    try:
        fail()
    except ValueError:
        structlog.get_logger().exception("request.failed", detail=SECRET)
        logging.getLogger("library").exception("failed for %s with %s", MAIL, SECRET)
    ours, theirs = read()
    for line in (ours, theirs):
        assert "ValueError: refused [redacted]" in line["exception"]
        assert (
            "LookupError: GET https://example.com/x?[redacted] for [redacted]" in line["exception"]
        )
        assert "in fail" in line["exception"]
    assert ours["detail"] == "[redacted]"
    assert theirs["event"] == "failed for [redacted] with [redacted]"
    assert theirs["logger"] == "library"


def test_a_group_of_exceptions_shows_each(read: Read) -> None:
    group = ExceptionGroup("failed", [ValueError(f"one {MAIL}"), KeyError("two")])
    structlog.get_logger().error("process.failed", exc_info=group)
    (line,) = read()
    assert "ValueError: one [redacted]" in line["exception"]
    assert "KeyError: 'two'" in line["exception"]


def test_a_warning_of_python_is_a_line(read: Read) -> None:
    warnings.warn(f"old {MAIL}", stacklevel=1)
    (line,) = read()
    assert (line["logger"], line["level"]) == ("py.warnings", "warning")


def test_a_line_that_cannot_be_written_is_said_to_be_missing(read: Read) -> None:
    wrong = logging.LogRecord("library", logging.ERROR, "", 0, f"%d {SECRET}", (MAIL,), None)
    logging.getLogger().handlers[0].handle(wrong)
    (line,) = read()
    line.pop("timestamp")
    assert line == {
        "event": "log.failed",
        "level": "error",
        "logger": "library",
        "record_level": "ERROR",
    }


class Restless:
    """Fails while it is thrown away."""

    def __del__(self) -> None:
        fail()


def test_what_python_cannot_raise_is_a_line_too(read: Read) -> None:
    Restless()
    (line,) = read()
    assert line["event"] == "exception.ignored"
    assert "ValueError: refused [redacted]" in line["exception"]


@pytest.mark.parametrize("name", ["slack_bolt", "slack_sdk.web", "aiohttp.access", "sqlalchemy"])
def test_what_libraries_say_of_whole_requests_is_not_logged(read: Read, name: str) -> None:
    logging.getLogger(name).info("body: %s", MAIL)
    logging.getLogger(name).debug("body: %s", MAIL)
    assert read() == []


@pytest.mark.parametrize(("level", "count"), [("debug", 3), ("info", 2), ("warning", 1)])
def test_the_level_is_a_setting(output: Output, level: str, count: int) -> None:
    output.set_up(level)
    log = structlog.get_logger()
    log.debug("a.told")
    log.info("b.told")
    log.warning("c.told")
    assert len(output.lines()) == count


def test_on_a_terminal_it_is_laid_out_for_reading_with_the_same_wall(
    output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output.stream, "isatty", lambda: True)
    output.set_up()
    try:
        fail()
    except ValueError:
        structlog.get_logger().exception("request.failed", detail=f"for {MAIL}")
    out = output.read()
    assert "request.failed" in out
    assert "\nValueError: refused [redacted]" in out
    assert not out.startswith("{")
