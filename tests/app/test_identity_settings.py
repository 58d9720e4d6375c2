"""The settings of who may call: what is half set, unsafe or unknown is refused by its name."""

import pytest
from pydantic import ValidationError

from app.settings import Settings, SettingsWrong, read_settings
from app.tokens import DevelopmentTokensRefused, known_signer_for, signer_for

ISSUER = {
    "oidc_issuer": "https://login.example",
    "oidc_audience": "https://api.example",
    "oidc_platforms": "shop",
}
OWN = "postgresql://u:p@host/db"


def test_an_issuer_is_an_https_url_or_on_this_machine() -> None:
    for issuer in ("https://login.example/realms/shop", "http://127.0.0.1:8080", "http://[::1]/"):
        assert Settings(**{**ISSUER, "oidc_issuer": issuer}).oidc_issuer == issuer  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"oidc_issuer": "https://login.example"}, "RECOURSE_OIDC_AUDIENCE"),
        ({**ISSUER, "oidc_audience": None}, "RECOURSE_OIDC_AUDIENCE"),
        ({**ISSUER, "oidc_platforms": None}, "RECOURSE_OIDC_PLATFORMS"),
        ({**ISSUER, "oidc_platforms": ""}, "oidc_platforms"),
        ({**ISSUER, "oidc_platforms": "shop,,other"}, "oidc_platforms"),
        ({**ISSUER, "oidc_audience": " "}, "oidc_audience"),
        *(
            ({**ISSUER, "oidc_issuer": issuer}, "oidc_issuer")
            for issuer in (
                *("http://login.example", "login.example", "", "recourse", "file:///etc"),
                *("https://login.example?a=b", "https://login.example#a", " https://a.example"),
                *("https://u:p@login.example", "https://[login.example"),
            )
        ),
        *(
            ({**ISSUER, "oidc_algorithms": algorithms}, "oidc_algorithms")
            for algorithms in ("", "none", "HS256", "RS256,HS512", "RS256,none", "rs256", "RS256,")
        ),
        ({"oidc_leeway_seconds": -1}, "oidc_leeway_seconds"),
        ({"oidc_leeway_seconds": 301}, "oidc_leeway_seconds"),
        ({"oidc_role_claim": ""}, "oidc_role_claim"),
        ({"oidc_scope_claim": "a\nb"}, "oidc_scope_claim"),
        ({"max_refusals_per_minute": 0}, "max_refusals_per_minute"),
    ],
)
def test_what_can_not_be_is_refused(given: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(**given)  # type: ignore[arg-type]
    assert named in str(caught.value)


def test_lists_are_written_with_commas() -> None:
    settings = Settings(**{**ISSUER, "oidc_platforms": "shop, other ,shop"})  # type: ignore[arg-type]
    assert settings.names_in("oidc_platforms") == ("shop", "other")
    assert settings.names_in("oidc_clients") == ()
    assert settings.names_in("oidc_algorithms") == ("RS256", "PS256", "ES256", "EdDSA")


@pytest.mark.parametrize(
    ("name", "named"),
    [("OIDC_ISSUER", "RECOURSE_OIDC_AUDIENCE"), ("SMTP_HOST", "RECOURSE_SMTP_FROM")],
)
def test_half_of_several_settings_is_one_line_that_names_them(
    monkeypatch: pytest.MonkeyPatch, name: str, named: str
) -> None:
    monkeypatch.setenv(f"RECOURSE_{name}", "https://login.example")
    with pytest.raises(SettingsWrong) as wrong:
        read_settings()
    [problem] = wrong.value.problems
    assert named in problem
    assert f"RECOURSE_{name}" in problem


@pytest.mark.parametrize(
    ("url", "given", "taken"),
    [
        (None, None, True),
        (None, False, False),
        (OWN, None, False),
        (OWN, False, False),
        (OWN, True, True),
    ],
)
def test_development_tokens_are_for_the_embedded_store_unless_it_is_said_otherwise(
    url: str | None, given: bool | None, taken: bool
) -> None:
    settings = Settings(
        database_url=url,  # type: ignore[arg-type]
        development_tokens=given,
        token_secret="s" * 32,  # type: ignore[arg-type]
    )
    assert settings.takes_development_tokens is taken
    for signer in (signer_for, known_signer_for):
        if taken:
            assert signer(settings).secret == "s" * 32
        else:
            with pytest.raises(DevelopmentTokensRefused):
                signer(settings)
