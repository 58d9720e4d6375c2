"""Who is calling, through the whole application: each kind of credentials, and its refusals."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from app.application import build_application
from app.authentication.api_keys import REMEMBERED
from app.authentication.authenticator import MAX_LENGTH
from app.authentication.failures import WINDOW
from app.authentication.issuer_keys import COOLDOWN
from app.database import Database
from app.settings import Settings
from app.tokens import TokenSigner
from models.actor import Role
from models.clock import ManualClock
from models.ids import hex_id
from resolvers.ids import ACCOUNT, encode_one
from tests.app.conftest import TOKEN_SECRET
from tests.app.issuer import AUDIENCE, Issuer, issuing, private_key, public_jwk
from tests.conftest import START
from tests.factories import (
    Runner,
    create_account,
    create_api_key,
    create_runner,
    revoke_api_key,
    unique,
)

VIEWER = "{ viewer { id role platformId account { id } scopes } }"
MOST_REFUSALS = 5
REFUSED = {
    "errors": [
        {
            "message": "The token is not valid, or no longer.",
            "extensions": {"code": "UNAUTHENTICATED"},
        }
    ]
}


@dataclass(frozen=True)
class Door:
    """The endpoint, its issuer, and a platform behind it."""

    client: httpx.AsyncClient
    issuer: Issuer
    run: Runner
    slug: str
    signer: TokenSigner

    async def ask(self, token: str | None, query: str = VIEWER) -> httpx.Response:
        """What comes back to who sends this."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return await self.client.post("/graphql", json={"query": query}, headers=headers)

    async def viewer(self, token: str) -> dict[str, Any]:
        """Who it is taken for."""
        response = await self.ask(token)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()["data"]["viewer"]
        return found

    async def refuses(self, token: str) -> None:
        """It is refused as everything is that is wrong."""
        response = await self.ask(token)
        answer = response.json()
        assert answer["errors"][0]["extensions"].pop("requestId")
        assert (response.status_code, answer) == (401, REFUSED)
        assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'

    def token(self, **changes: Any) -> str:
        """An access token of the issuer's."""
        return self.issuer.token(self.issuer.claims(self.run.clock.now(), **changes))


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as issuer:
        yield issuer


@pytest.fixture
async def door(database: Database, issuer: Issuer) -> AsyncIterator[Door]:
    slug, clock = unique("door"), ManualClock(START)
    run = await create_runner(database, clock, slug)
    settings = Settings(
        oidc_issuer=issuer.url,
        oidc_audience=AUDIENCE,
        oidc_platforms=slug,
        max_refusals_per_minute=MOST_REFUSALS,
    )
    signer = TokenSigner(TOKEN_SECRET, clock)
    application = build_application(settings, database, signer, clock)
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://recourse.test") as client:
        yield Door(client, issuer, run, slug, signer)


async def test_each_kind_of_credentials_is_told_by_its_form(door: Door) -> None:
    key = (await create_api_key(door.run)).secret
    assert key is not None
    own = door.signer.sign(Role.REVIEWER, door.slug, "rita")
    taken = [await door.viewer(token) for token in (door.token(), key, own)]
    assert [viewer["role"] for viewer in taken] == ["ADMIN", "INTEGRATOR", "REVIEWER"]
    assert {viewer["platformId"] for viewer in taken} == {str(door.run.platform_id)}
    await door.refuses("nonsense")
    await door.refuses("rk_nonsense")
    await door.refuses(door.token(iss="recourse"))


async def test_without_credentials_it_is_said_what_to_send(door: Door) -> None:
    for _ in range(MOST_REFUSALS + 1):
        response = await door.ask(None)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"


async def test_an_account_user_reaches_the_account_of_the_token_and_no_other(door: Door) -> None:
    mine, other = [await create_account(door.run) for _ in range(2)]
    token = door.token(role="account_user", sub="uma", account=mine.external_id)
    own = encode_one(ACCOUNT, hex_id(mine.account_id))
    assert (await door.viewer(token))["account"] == {"id": own}
    asked = encode_one(ACCOUNT, hex_id(other.account_id))
    response = await door.ask(token, f'{{ account(id: "{asked}") {{ id }} }}')
    assert response.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    change = f"""mutation {{ accountUpdate(input: {{ id: "{asked}", businessName: "Mine" }}) {{
      userErrors {{ code }} }} }}"""
    payload = (await door.ask(token, change)).json()["data"]["accountUpdate"]
    assert payload["userErrors"]


async def test_the_issuers_keys_change_without_a_restart(door: Door) -> None:
    old = door.token()
    await door.viewer(old)
    door.issuer.keys = [public_jwk("ES256", "two")]
    door.run.clock.advance(COOLDOWN)
    claims = door.issuer.claims(door.run.clock.now())
    new = door.issuer.token(claims, algorithm="ES256", kid="two", key=private_key("ES256"))
    await door.viewer(new)
    await door.refuses(old)


async def test_a_revoked_key_is_refused_within_seconds(door: Door) -> None:
    issued = await create_api_key(door.run)
    assert issued.secret is not None
    await door.viewer(issued.secret)
    await revoke_api_key(door.run, issued.key)
    door.run.clock.advance(REMEMBERED)
    await door.refuses(issued.secret)


@pytest.mark.parametrize("broken", ["issuer", "store"])
async def test_who_can_not_be_told_is_asked_to_come_back(
    door: Door, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = door.token()
    if broken == "issuer":
        door.issuer.answers["/keys"] = (500, b"")
    else:
        token = (await create_api_key(door.run)).secret or ""
        monkeypatch.setattr("app.authentication.api_keys.find_key", _away)
    for _ in range(MOST_REFUSALS + 1):
        response = await door.ask(token)
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert response.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"


async def _away(*_: object) -> None:
    raise OSError("gone")


async def test_who_guesses_has_to_wait_and_nobody_else(door: Door) -> None:
    issued = await create_api_key(door.run)
    assert issued.secret is not None
    known = (door.token(), issued.secret, door.signer.sign(Role.ADMIN, door.slug, "ada"))
    for token in known:
        await door.viewer(token)
    wrong = f"{issued.secret[:-64]}{'0' * 64}"
    for _ in range(MOST_REFUSALS):
        await door.refuses(wrong)
    fresh = door.token(sub="eve")
    for token in (wrong, fresh, "nonsense", "x" * (MAX_LENGTH + 1)):
        response = await door.ask(token)
        assert (response.status_code, response.headers["retry-after"]) == (429, "60")
        assert response.json()["errors"][0]["extensions"]["code"] == "TOO_MANY_REFUSALS"
    # What was found good before is let pass, also once it is to be looked at anew.
    door.run.clock.advance(REMEMBERED)
    for token in known:
        await door.viewer(token)
    door.run.clock.advance(WINDOW)
    await door.viewer(fresh)


async def test_what_is_too_long_for_a_token_is_not_looked_at(door: Door) -> None:
    good = door.token(filling="x" * MAX_LENGTH)
    await door.refuses(good)
    assert door.issuer.asked == []


async def test_development_tokens_are_taken_only_where_something_signs_them(
    database: Database, door: Door
) -> None:
    application = build_application(Settings(), database, None, door.run.clock)
    transport = httpx.ASGITransport(application)
    own = door.signer.sign(Role.ADMIN, door.slug, "ada")
    async with httpx.AsyncClient(transport=transport, base_url="http://recourse.test") as client:
        closed = Door(client, door.issuer, door.run, door.slug, door.signer)
        await closed.refuses(own)
        await closed.refuses(door.token())
        key = (await create_api_key(door.run)).secret
        assert key is not None
        assert (await closed.viewer(key))["role"] == "INTEGRATOR"


async def test_no_log_line_holds_a_token_or_a_key(door: Door) -> None:
    key = (await create_api_key(door.run)).secret
    assert key is not None
    create = """mutation { apiKeyCreate(input: { name: "M", role: INTEGRATOR }) { secret } }"""
    with capture_logs() as lines:
        made = (await door.ask(door.token(), create)).json()["data"]["apiKeyCreate"]["secret"]
        for token in (key, f"{key[:-64]}{'0' * 64}", door.token(), door.token(exp=1)):
            await door.ask(token)
    assert len([line for line in lines if line["event"] == "request"]) == 5
    for secret in (key[-64:], made[-64:], door.token(), door.token().split(".")[1]):
        assert secret not in str(lines)


async def test_an_expired_token_is_refused_with_the_same_words(door: Door) -> None:
    token = door.token()
    await door.viewer(token)
    door.run.clock.advance(timedelta(hours=1))
    await door.refuses(token)
