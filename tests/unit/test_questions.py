import pytest

from bot.notification import State
from bot.questions import SecondEnter
from bot.replies import ActionId, CallbackId, questions


@pytest.mark.parametrize(
    ("states", "fate"),
    [
        ({State.SENT}, "it was sent"),
        ({State.SENT, State.PENDING}, "it is still on its way"),
        ({State.SENDING}, "it is still on its way"),
        ({State.UNKNOWN, State.SENT}, "it may or may not have arrived"),
        ({State.REJECTED, State.SENT}, "it was sent to some of them"),
    ],
)
def test_the_second_enter_tells_what_became_of_the_first(states: set[State], fate: str) -> None:
    question = SecondEnter("d1", "ab12", 8.2, frozenset(states))
    message, view = questions.ask(question), questions.modal(question)
    assert message.text.startswith("You sent this 8 s ago, and ")
    assert fate in message.text
    assert [(button.action, button.value) for button in message.buttons] == [
        (ActionId.SEND_DRAFT, "d1")
    ]
    assert (view["callback_id"], view["private_metadata"]) == (CallbackId.CONFIRM, "d1")
    assert fate in str(view["blocks"])
