"""Settings: from the environment, each with its default, each wrong one refused by its name."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import PREFIX, Settings, SettingsWrong, read_settings, source_of

HUGE = "99999999999999999999"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the environment in which the tests run."""
    for name in list(os.environ):
        if name.upper().startswith(PREFIX):
            monkeypatch.delenv(name)


def test_without_any_setting_everything_is_local() -> None:
    settings = Settings()
    assert settings.database_url is None
    assert settings.host == "127.0.0.1"
    assert settings.data_dir == Path(".recourse")
    assert settings.max_page_size == 100


@pytest.mark.parametrize("name", Settings.model_fields)
def test_each_setting_says_what_it_is_for(name: str) -> None:
    assert (Settings.model_fields[name].description or "").endswith(".")


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("port", "0", 0),
        ("data_dir", "/somewhere/else", Path("/somewhere/else")),
        ("max_page_size", "1000", 1_000),
        ("clock_interval_seconds", "0.25", 0.25),
        ("log_level", "DEBUG", "DEBUG"),
        ("demo_accounts", "0", 0),
    ],
)
def test_the_environment_sets_it(
    monkeypatch: pytest.MonkeyPatch, name: str, given: str, expected: object
) -> None:
    assert source_of(name) == "default"
    monkeypatch.setenv(PREFIX + name.upper(), given)
    assert getattr(Settings(), name) == expected
    assert "environment" in source_of(name)


def test_the_case_of_a_variable_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("recourse_port", "9000")
    assert Settings().port == 9000
    assert "environment" in source_of("port")


def test_an_option_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOURSE_PORT", "9000")
    assert Settings(port=7000).port == 7000


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("port", "many"),
        ("port", "-1"),
        ("port", "65536"),
        ("pool_size", "0"),
        ("max_page_size", "0"),
        ("max_page_size", "10001"),
        ("max_request_bytes", "1"),
        ("max_document_tokens", "0"),
        ("document_cache_size", "-1"),
        ("shutdown_timeout_seconds", "-1"),
        ("statement_timeout_seconds", "0"),
        ("clock_interval_seconds", "0"),
        ("clock_interval_seconds", "nan"),
        ("body_timeout_seconds", "0"),
        ("persisted_query_bytes", "-1"),
        ("persisted_query_bytes", HUGE),
        ("cors_origins", "dashboard.example"),
        ("cors_origins", "https://dashboard.example/"),
        ("cors_origins", "https://*.example"),
        ("cors_origins", "https://a.example b.example"),
        ("cors_origins", "null"),
        ("only_trusted_documents", "true"),
        ("log_level", "LOUD"),
        ("demo_accounts", "-1"),
        ("demo_accounts", HUGE),
        ("max_nodes", HUGE),
        ("max_request_bytes", HUGE),
        ("max_document_tokens", HUGE),
        ("document_cache_size", HUGE),
        ("lock_timeout_seconds", HUGE),
        ("statement_timeout_seconds", HUGE),
        ("shutdown_timeout_seconds", HUGE),
    ],
)
def test_what_can_not_be_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, given: str
) -> None:
    monkeypatch.setenv(PREFIX + name.upper(), given)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert [error["loc"] for error in refused.value.errors()] == [(name,)]


def test_cookies_are_not_taken_from_any_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOURSE_CORS_CREDENTIALS", "true")
    monkeypatch.setenv("RECOURSE_CORS_ORIGINS", "https://a.example, *")
    with pytest.raises(SettingsWrong) as wrong:
        read_settings()
    [problem] = wrong.value.problems
    assert problem.startswith("RECOURSE_CORS_CREDENTIALS: ")
    monkeypatch.setenv("RECOURSE_CORS_ORIGINS", "https://a.example, http://[::1]:3000")
    settings = read_settings()
    assert settings.cors_origins == ("https://a.example", "http://[::1]:3000")


def test_all_that_is_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOURSE_PORT", "many")
    monkeypatch.setenv("RECOURSE_LOG_LEVEL", "LOUD")
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert {error["loc"] for error in refused.value.errors()} == {("port",), ("log_level",)}


def test_a_database_of_ones_own_gets_demo_accounts_only_when_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Settings().demo_accounts == 200
    monkeypatch.setenv("RECOURSE_DATABASE_URL", "postgresql://u:p@host/db")
    assert Settings().demo_accounts == 0
    monkeypatch.setenv("RECOURSE_DEMO_ACCOUNTS", "7")
    assert Settings().demo_accounts == 7


@pytest.mark.parametrize("name", ["graphiql", "field_suggestions"])
def test_what_helps_developers_is_off_with_a_database_of_ones_own_unless_asked_for(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert getattr(Settings(), name) is True
    monkeypatch.setenv("RECOURSE_DATABASE_URL", "postgresql://u:p@host/db")
    assert getattr(Settings(), name) is False
    monkeypatch.setenv(PREFIX + name.upper(), "true")
    assert getattr(Settings(), name) is True


def test_a_variable_that_is_no_setting_is_named_whatever_its_case(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("recourse_pool_sise", "3")
    monkeypatch.setenv("RECOURSE_LOG_LEVEL", "LOUD")
    monkeypatch.setenv("OTHER_PROT", "1")
    with pytest.raises(SettingsWrong) as wrong:
        read_settings()
    level, unknown = wrong.value.problems
    assert level.startswith("RECOURSE_LOG_LEVEL: ")
    assert unknown == (
        "recourse_pool_sise: There is no such setting. Did you mean RECOURSE_POOL_SIZE?"
    )


def test_what_is_secret_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOURSE_DATABASE_URL", "postgresql://u:swordfish@host/db")
    monkeypatch.setenv("RECOURSE_TOKEN_SECRET", "swordfish" * 4)
    settings = Settings()
    for shown in (str(settings), repr(settings), str(settings.database_url), settings.model_dump()):
        assert "swordfish" not in str(shown)


SMTP = {"smtp_host": "mail.example", "smtp_from": "risk@platform.example"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"smtp_host": "mail.example"}, "RECOURSE_SMTP_FROM"),
        ({"smtp_from": "risk@platform.example"}, "RECOURSE_SMTP_HOST"),
        ({**SMTP, "smtp_user": "us"}, "RECOURSE_SMTP_PASSWORD"),
        ({**SMTP, "smtp_password": "secret"}, "RECOURSE_SMTP_USER"),
        ({**SMTP, "smtp_from": "Risk <risk@platform.example>"}, "smtp_from"),
        ({**SMTP, "smtp_from": "risk@platform.example\r\nBcc: x@y.example"}, "smtp_from"),
        ({**SMTP, "smtp_port": 0}, "smtp_port"),
        ({**SMTP, "smtp_host": ""}, "smtp_host"),
        ({**SMTP, "smtp_security": "ssl"}, "smtp_security"),
        ({**SMTP, "smtp_timeout_seconds": 0}, "smtp_timeout_seconds"),
    ],
)
def test_half_a_mail_server_is_refused(given: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(**given)  # type: ignore[arg-type]
    assert named in str(caught.value)
    assert "secret" not in str(caught.value)
