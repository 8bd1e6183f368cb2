import pytest

from bot.presets import Preset


def test_there_are_the_four_documented_uses() -> None:
    assert [str(preset) for preset in Preset] == ["sms", "email", "call", "hot"]


@pytest.mark.parametrize(
    ("preset", "title", "with_lead"),
    [
        (Preset.SMS, "New SMS", "SMS from Asha Rao"),
        (Preset.EMAIL, "New e-mail", "E-mail from Asha Rao"),
        (Preset.CALL, "Missed call", "Missed call from Asha Rao"),
        (Preset.HOT, "Hot prospect", "Hot prospect: Asha Rao"),
    ],
)
def test_the_title_names_the_lead_if_there_is_one(
    preset: Preset, title: str, with_lead: str
) -> None:
    assert preset.build_title() == title
    assert preset.build_title("  ") == title
    assert preset.build_title(" Asha Rao ") == with_lead


def test_labels_and_icons_tell_them_apart() -> None:
    assert len({preset.label for preset in Preset}) == 4
    assert [preset.icon_file for preset in Preset] == [
        "sms.png",
        "email.png",
        "call.png",
        "hot.png",
    ]
