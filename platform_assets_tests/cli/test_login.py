"""``login``: where the password comes from and where it is shown."""

import pytest

from platform_assets.cli.main import EXIT_ERROR, main
from platform_assets.settings import Settings

pytestmark = pytest.mark.integration


def run(settings: Settings, *arguments: str) -> int:
    return main(["login", *arguments, "--home", str(settings.home)])


def test_a_generated_password_is_all_that_goes_to_standard_output(
    shared_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(shared_settings, "add", "generated", "--role", "analyst", "--valid-until", "2030-01-31") == 0
    shown = capsys.readouterr()

    assert len(shown.out.split()) == 1
    assert len(shown.out.strip()) == 32, "24 random bytes in base64"
    assert shown.out.strip() not in shown.err
    assert "Only this machine and this user reach it" in shown.err

    assert run(shared_settings, "list") == 0
    listed = capsys.readouterr().out
    assert "generated" in listed
    assert "2030-01-31" in listed

    assert run(shared_settings, "remove", "generated") == 0
    assert "generated is gone" in capsys.readouterr().out


def test_a_password_that_was_given_is_not_shown(
    shared_settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATFORM_LOGIN_PASSWORD", "correct horse battery")

    assert run(shared_settings, "add", "given", "--role", "auditor") == 0
    assert run(shared_settings, "add", "given", "--role", "auditor") == EXIT_ERROR
    assert run(shared_settings, "remove", "given") == 0

    shown = capsys.readouterr()
    assert "correct horse" not in shown.out + shown.err
    assert "has a role given already" in shown.err


@pytest.mark.parametrize(
    "arguments",
    [("add", "x"), ("add", "x", "--role", "owner"), ("add", "x", "--role", "analyst", "--valid-until", "soon")],
)
def test_options_that_make_no_sense_are_refused(shared_settings: Settings, arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(shared_settings, *arguments)

    assert caught.value.code == 2
