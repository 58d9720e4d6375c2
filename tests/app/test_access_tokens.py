"""Access tokens of an OpenID Connect issuer: which are taken, whom they make, and which are not."""

import base64
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jwt
import pytest
from jwt.algorithms import get_default_algorithms

from app.authentication.access_tokens import AccessTokens
from app.authentication.issuer_keys import COOLDOWN
from app.authentication.refusals import TokenRefused
from app.settings import Settings
from models.actor import Actor, Role, Scope
from models.clock import ManualClock
from models.ids import account_id_for, hex_id, platform_id_for
from resolvers.ids import ACCOUNT, encode_one
from tests.app.issuer import AUDIENCE, Issuer, issuing, private_key, public_jwk, public_pem
from tests.conftest import START

SHOP = platform_id_for("shop")
ACCOUNT_ID = account_id_for(SHOP, "acct_1")
WAIVE = str(Scope.REQUIREMENT_WAIVE)
LEEWAY_SECONDS = 10
NOW = int(START.timestamp())


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as issuer:
        yield issuer


def reader(issuer: Issuer, clock: ManualClock, **settings: Any) -> AccessTokens:
    """What reads the issuer's tokens, with the settings of one platform unless others are given."""
    given: dict[str, Any] = {
        "oidc_issuer": issuer.url,
        "oidc_audience": AUDIENCE,
        "oidc_platforms": "shop",
        **settings,
    }
    found = AccessTokens.of(Settings(**given), clock)
    assert found is not None
    return found


async def refused(tokens: AccessTokens, token: str) -> None:
    with pytest.raises(TokenRefused) as caught:
        await tokens.read(token)
    assert str(caught.value) == "The token is not valid, or no longer."


async def test_a_good_token_makes_the_actor_that_it_says(
    issuer: Issuer, clock: ManualClock
) -> None:
    tokens = reader(issuer, clock)
    claims = issuer.claims(START, name="Ada", scope=f"openid {WAIVE} of:others")
    actor = await tokens.read(issuer.token(claims))
    assert actor == Actor(Role.ADMIN, "ada", SHOP, name="Ada", scopes=frozenset({WAIVE}))


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
async def test_each_algorithm_of_the_default_is_taken(
    issuer: Issuer, clock: ManualClock, algorithm: str
) -> None:
    issuer.keys = [public_jwk(algorithm, "one")]
    token = issuer.token(issuer.claims(START), algorithm=algorithm)
    assert (await reader(issuer, clock).read(token)).id == "ada"


@pytest.mark.parametrize("kind", ["at+jwt", "application/at+jwt", "AT+JWT", "JWT", None])
async def test_access_tokens_come_with_these_types(
    issuer: Issuer, clock: ManualClock, kind: str | None
) -> None:
    token = issuer.token(issuer.claims(START), {"typ": kind})
    assert (await reader(issuer, clock).read(token)).id == "ada"


@pytest.mark.parametrize("given", ["acct_1", encode_one(ACCOUNT, hex_id(ACCOUNT_ID))])
async def test_an_account_user_is_bound_to_the_account_by_either_id(
    issuer: Issuer, clock: ManualClock, given: str
) -> None:
    claims = issuer.claims(START, role="account_user", account=given, sub="uma")
    actor = await reader(issuer, clock).read(issuer.token(claims))
    assert actor == Actor(Role.ACCOUNT_USER, "uma", SHOP, ACCOUNT_ID)


async def test_the_settings_name_the_claims(issuer: Issuer, clock: ManualClock) -> None:
    tokens = reader(
        issuer,
        clock,
        oidc_role_claim="https://us.example/roles",
        oidc_platform_claim="tenant",
        oidc_account_claim="merchant",
        oidc_scope_claim="scp",
        oidc_platforms="shop, other",
    )
    claims = issuer.claims(START, role=None, tenant="other", scp=[WAIVE], account="not asked")
    claims["https://us.example/roles"] = ["offline_access", "Reviewer"]
    actor = await tokens.read(issuer.token(claims))
    assert (actor.role, actor.platform_id) == (Role.REVIEWER, platform_id_for("other"))
    assert actor.scopes == {WAIVE}
    claims |= {"https://us.example/roles": "account_user", "merchant": "acct_1"}
    actor = await tokens.read(issuer.token(claims))
    assert actor.account_id == account_id_for(platform_id_for("other"), "acct_1")


WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "wrong audience": {"aud": "https://other.example"},
    "no audience": {"aud": None},
    "audience of another kind": {"aud": {AUDIENCE: True}},
    "wrong issuer": {"iss": "https://other.example"},
    "issuer with a slash": {"iss": "http://127.0.0.1/"},
    "no subject": {"sub": None},
    "subject of another kind": {"sub": 7},
    "subject in two spellings": {"sub": " ada"},
    "a service's name": {"sub": "service:8d1f"},
    "expired": {"iat": NOW - 100, "exp": NOW - LEEWAY_SECONDS},
    "no end": {"exp": None},
    "an end that is none": {"exp": "never"},
    "an end that is a truth": {"exp": True},
    "an end without an end": {"exp": float("inf")},
    "issued tomorrow": {"iat": NOW + 86_400, "exp": NOW + 90_000},
    "not yet": {"nbf": NOW + LEEWAY_SECONDS + 1},
    "no beginning": {"iat": None},
    "another platform": {"platform": "bank"},
    "a platform of another kind": {"platform": ["shop"]},
    "no role": {"role": None},
    "an unknown role": {"role": "root"},
    "Recourse itself": {"role": "system"},
    "two roles": {"role": ["admin", "reviewer"]},
    "an account user of nothing": {"role": "account_user"},
    "staff of an account": {"account": "acct_1"},
    "an account of another kind": {"role": "account_user", "account": ["acct_1"]},
    "an account that is too long": {"role": "account_user", "account": "a" * 201},
    "an account with half a character": {"role": "account_user", "account": "\ud800"},
    "scopes of another kind": {"scope": {WAIVE: True}},
    "an id token": {"nonce": "n-0S6_WzA2Mj"},
    "an id token by its hash": {"at_hash": "MTIzNDU2Nzg5MDEyMzQ1Ng"},
    "a logout token": {"events": {}},
    "an id token, as Keycloak has it": {"typ": "ID"},
    "an id token, as Cognito has it": {"token_use": "id"},
}


@pytest.mark.parametrize("changes", WRONG_CLAIMS.values(), ids=list(WRONG_CLAIMS))
async def test_wrong_claims_are_refused_however_well_they_are_signed(
    issuer: Issuer, clock: ManualClock, changes: dict[str, Any]
) -> None:
    tokens = reader(issuer, clock)
    assert (await tokens.read(issuer.token(issuer.claims(START)))).id == "ada"
    await refused(tokens, issuer.token(issuer.claims(START, **changes)))


@pytest.mark.parametrize(
    "headers",
    [
        {"typ": "id+jwt"},
        {"typ": "logout+jwt"},
        {"typ": "dpop+jwt"},
        {"crit": ["exp"], "exp": NOW},
        {"crit": ["b64"], "b64": True},
        {"kid": "two"},
        {"kid": ""},
        {"kid": "../../etc/passwd"},
        {"kid": "one' OR '1'='1"},
        {"kid": "one\x00"},
        {"kid": "k" * 5_000},
    ],
)
async def test_wrong_headers_are_refused(
    issuer: Issuer, clock: ManualClock, headers: dict[str, Any]
) -> None:
    await refused(reader(issuer, clock), issuer.token(issuer.claims(START), headers))


async def test_where_a_token_says_that_its_key_is_nobody_looks(
    issuer: Issuer, clock: ManualClock
) -> None:
    """A key that comes along, or from an address that comes along, is none."""
    tokens = reader(issuer, clock)
    with issuing() as other:
        other.keys = [public_jwk("RS256", "two", 2)]
        address = other.url + "/keys"
        for kid in ("one", "two"):
            headers = {"jku": address, "x5u": address, "jwk": other.keys[0], "kid": kid}
            forged = issuer.token(issuer.claims(START), headers, key=private_key("RS256", 2))
            await refused(tokens, forged)
        assert other.asked == []
    headers = {"jku": address, "x5u": address}
    assert (await tokens.read(issuer.token(issuer.claims(START), headers))).id == "ada"


async def test_a_token_without_the_id_of_its_key_is_refused(
    issuer: Issuer, clock: ManualClock
) -> None:
    await refused(reader(issuer, clock), issuer.token(issuer.claims(START), kid=None))


async def test_a_public_key_is_no_shared_secret(issuer: Issuer, clock: ManualClock) -> None:
    """HS256 with the public key, which a library that trusts the header would take."""
    tokens = reader(issuer, clock)
    for secret in (public_pem("RS256"), json.dumps(issuer.keys[0]).encode()):
        head = segment({"alg": "HS256", "typ": "at+jwt", "kid": "one"})
        signed = f"{head}.{segment(issuer.claims(START))}"
        mac = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), "sha256"))
        await refused(tokens, f"{signed}.{mac.decode().rstrip('=')}")


def segment(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, 7, ["RS256"]])
async def test_a_token_without_a_signature_is_refused(
    issuer: Issuer, clock: ManualClock, algorithm: Any
) -> None:
    tokens = reader(issuer, clock)
    body = segment(issuer.claims(START))
    head = segment({"alg": algorithm, "typ": "at+jwt", "kid": "one"})
    good = issuer.token(issuer.claims(START)).split(".")[2]
    for signature in ("", good):
        await refused(tokens, f"{head}.{body}.{signature}")


async def test_an_algorithm_that_is_not_of_the_key_is_refused(
    issuer: Issuer, clock: ManualClock
) -> None:
    """The key says RS256: by the same key, PS256 is another's."""
    tokens = reader(issuer, clock)
    await refused(tokens, issuer.token(issuer.claims(START), {"alg": "PS256"}, "PS256"))


async def test_an_algorithm_that_is_not_of_the_settings_is_refused(
    issuer: Issuer, clock: ManualClock
) -> None:
    tokens = reader(issuer, clock, oidc_algorithms="ES256")
    issuer.keys = [public_jwk("ES256", "es"), *issuer.keys]
    await tokens.keys.settle(START)
    clock.advance(COOLDOWN)
    await refused(tokens, issuer.token(issuer.claims(START)))
    # Nobody is asked for a key of it, either.
    assert len(issuer.asked) == 2


async def test_a_header_that_asks_for_more_is_refused(issuer: Issuer, clock: ManualClock) -> None:
    """The library would understand this one."""
    head = segment({"alg": "RS256", "kid": "one", "typ": "at+jwt", "crit": ["b64"], "b64": True})
    signed = f"{head}.{segment(issuer.claims(START))}"
    mark = get_default_algorithms()["RS256"].sign(signed.encode(), private_key("RS256"))
    token = f"{signed}.{base64.urlsafe_b64encode(mark).decode().rstrip('=')}"
    await refused(reader(issuer, clock), token)


async def test_a_changed_token_is_refused(issuer: Issuer, clock: ManualClock) -> None:
    tokens = reader(issuer, clock)
    head, _, signature = issuer.token(issuer.claims(START)).split(".")
    await refused(tokens, f"{head}.{segment(issuer.claims(START, sub='eve'))}.{signature}")


@pytest.mark.parametrize(
    "token",
    [
        *("", ".", "..", "...", "a.b.c", "nonsense", "rk_", "\u00e4.\u00e4.\u00e4", "e30.e30.e30"),
        "." * 5_000,
        f"{segment([])}.{segment({})}.",
        f"{base64.urlsafe_b64encode(b'[' * 3_000).decode()}.e30.",
    ],
)
async def test_garbage_is_refused(issuer: Issuer, clock: ManualClock, token: str) -> None:
    await refused(reader(issuer, clock), token)


async def test_a_payload_that_is_nested_too_deep_is_refused(
    issuer: Issuer, clock: ManualClock
) -> None:
    deep = jwt.api_jws.encode(
        b"[" * 4_000, private_key("RS256"), "RS256", {"kid": "one", "typ": "at+jwt"}
    )
    await refused(reader(issuer, clock), deep)


@pytest.mark.parametrize(("client", "taken"), [("console", True), ("game", False), (None, False)])
async def test_of_other_clients_nothing_is_taken_where_clients_are_named(
    issuer: Issuer, clock: ManualClock, client: str | None, taken: bool
) -> None:
    tokens = reader(issuer, clock, oidc_clients="console, jobs")
    for name in ("azp", "client_id"):
        token = issuer.token(issuer.claims(START, **{name: client}))
        if taken:
            assert (await tokens.read(token)).id == "ada"
        else:
            await refused(tokens, token)


async def test_a_name_that_can_not_be_shown_is_left_out(issuer: Issuer, clock: ManualClock) -> None:
    tokens = reader(issuer, clock)
    for name in ("", " ", "a\nb", "a" * 201, 7):
        assert (await tokens.read(issuer.token(issuer.claims(START, name=name)))).name is None


async def test_of_several_platforms_the_token_has_to_name_one(
    issuer: Issuer, clock: ManualClock
) -> None:
    tokens = reader(issuer, clock, oidc_platforms="shop,other")
    await refused(tokens, issuer.token(issuer.claims(START)))
    actor = await tokens.read(issuer.token(issuer.claims(START, platform="other")))
    assert actor.platform_id == platform_id_for("other")


@pytest.mark.parametrize(
    ("seconds", "taken"),
    [(-11, False), (-10, True), (0, True), (609, True), (610, False)],
)
async def test_a_token_has_its_time_and_is_asked_for_it_each_time(
    issuer: Issuer, clock: ManualClock, seconds: int, taken: bool
) -> None:
    tokens = reader(issuer, clock)
    token = issuer.token(issuer.claims(START))
    assert (await tokens.read(token)).id == "ada"
    assert tokens.knows(token)
    clock.advance(timedelta(seconds=seconds))
    if taken:
        assert (await tokens.read(token)).id == "ada"
    else:
        await refused(tokens, token)


async def test_a_signature_is_checked_once(
    issuer: Issuer, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = reader(issuer, clock)
    token = issuer.token(issuer.claims(START))
    first = await tokens.read(token)
    monkeypatch.setattr(jwt, "decode", None)
    assert await tokens.read(token) is first


async def test_a_key_that_is_withdrawn_vouches_for_nothing_more(
    issuer: Issuer, clock: ManualClock
) -> None:
    tokens = reader(issuer, clock)
    old = issuer.token(issuer.claims(START))
    assert (await tokens.read(old)).id == "ada"
    issuer.keys = [public_jwk("RS256", "two", 2)]
    clock.advance(COOLDOWN)
    new = issuer.token(issuer.claims(START), kid="two", key=private_key("RS256", 2))
    assert (await tokens.read(new)).id == "ada"
    await refused(tokens, old)
