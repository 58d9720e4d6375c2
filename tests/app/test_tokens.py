"""Development tokens: what they say, who signs them, where the secret lies."""

import json
import os
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from app.authentication.refusals import TokenRefused
from app.embedded import DataDirectoryUnusable
from app.settings import MIN_SECRET_LENGTH
from app.tokens import (
    ALGORITHM,
    AUDIENCE,
    LEEWAY_SECONDS,
    LIFETIME,
    TokenSigner,
    account_named,
    secret_in,
)
from models.actor import Actor, Role, Scope
from models.authorisation import CALLERS, DEFAULT_SCOPES
from models.clock import ManualClock
from models.errors import InvalidId
from models.ids import account_id_for, hex_id, platform_id_for
from resolvers.ids import ACCOUNT, encode_one
from tests.conftest import START

SECRET = "a secret of thirty-two characters"
SHOP = platform_id_for("shop")
ACCOUNT_ID = account_id_for(SHOP, "acct_1")
LEEWAY = timedelta(seconds=LEEWAY_SECONDS)


@pytest.fixture
def signer(clock: ManualClock) -> TokenSigner:
    return TokenSigner(SECRET, clock)


@pytest.mark.parametrize("role", [role for role in CALLERS if role is not Role.ACCOUNT_USER])
async def test_staff_is_read_as_it_was_signed(signer: TokenSigner, role: Role) -> None:
    actor = await signer.read(signer.sign(role, "shop", "ada"))
    assert (actor.role, actor.id, actor.platform_id, actor.account_id) == (role, "ada", SHOP, None)
    may_waive = role not in (Role.INTEGRATOR, Role.AUDITOR)
    assert (Scope.REQUIREMENT_WAIVE in actor.scopes) == may_waive == (role in DEFAULT_SCOPES)


async def test_an_account_user_has_an_account_and_no_scopes(signer: TokenSigner) -> None:
    actor = await signer.read(signer.sign(Role.ACCOUNT_USER, "shop", "uma", ACCOUNT_ID))
    assert actor == Actor(Role.ACCOUNT_USER, "uma", SHOP, ACCOUNT_ID)


def test_roles_are_written_in_lower_case(signer: TokenSigner) -> None:
    token = signer.sign(Role.REVIEWER, "shop", "rita")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["role"] == "reviewer"
    assert jwt.get_unverified_header(token)["alg"] == ALGORITHM


@pytest.mark.parametrize(
    ("after", "taken"),
    [
        (-LEEWAY - timedelta(seconds=1), False),
        (-LEEWAY, True),
        (timedelta(), True),
        (LIFETIME + LEEWAY - timedelta(seconds=1), True),
        (LIFETIME + LEEWAY, False),
    ],
)
async def test_a_token_has_its_time(
    signer: TokenSigner, clock: ManualClock, after: timedelta, taken: bool
) -> None:
    token = signer.sign(Role.ADMIN, "shop", "ada")
    clock.advance(after)
    if taken:
        assert (await signer.read(token)).id == "ada"
        return
    with pytest.raises(TokenRefused):
        await signer.read(token)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": "never"},
        {"exp": None},
        {"iat": []},
        {"sub": 7},
        *(
            {"sub": sub}
            for sub in (" ada", "ada ", "ada\n", "a\u200bda", "Zoe\u0308", "", "a" * 201)
        ),
        {"name": "a\x00b"},
        {"name": "a" * 201},
        {"name": " "},
        {"aud": [AUDIENCE + "s"]},
        {"platform": 7},
        {"role": {}},
        {"role": "system"},
        {"account": str(ACCOUNT_ID)},
        {"role": "account_user", "account": "acct_1"},
        {"role": "account_user", "account": None},
        {"scopes": {"requirement:waive": True}},
    ],
)
async def test_claims_of_another_kind_are_refused(
    signer: TokenSigner, changes: dict[str, Any]
) -> None:
    good = {
        "iss": "recourse",
        "aud": "recourse",
        "sub": "ada",
        "role": "admin",
        "platform": str(SHOP),
        "iat": int(START.timestamp()),
        "exp": int(START.timestamp()) + 60,
    }
    actor = await signer.read(jwt.encode(good, SECRET, ALGORITHM))
    assert actor.scopes == frozenset()
    # The library checks some claims before it signs; the payload goes past it.
    wrong = jwt.api_jws.encode(json.dumps({**good, **changes}).encode(), SECRET, ALGORITHM)
    with pytest.raises(TokenRefused) as refused:
        await signer.read(wrong)
    assert str(refused.value) == "The token is not valid, or no longer."


def test_an_account_is_named_by_either_id() -> None:
    assert account_named("shop", "acct_1") == ACCOUNT_ID
    assert account_named("shop", encode_one(ACCOUNT, hex_id(ACCOUNT_ID))) == ACCOUNT_ID
    assert account_named("other", "acct_1") != ACCOUNT_ID
    with pytest.raises(InvalidId):
        account_named("shop", f"{ACCOUNT}_nonsense")


def test_the_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "new/data"
    mask = os.umask(0)
    try:
        secret = secret_in(folder)
    finally:
        os.umask(mask)
    assert len(secret) >= MIN_SECRET_LENGTH
    assert secret_in(folder) == secret
    assert [path.name for path in folder.iterdir()] == ["token-secret"]
    assert stat.S_IMODE((folder / "token-secret").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_two_data_directories_have_two_secrets(tmp_path: Path) -> None:
    assert secret_in(tmp_path / "one") != secret_in(tmp_path / "two")


def test_all_who_ask_at_once_get_the_same_secret(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from app.tokens import secret_in\n"
    code += "sys.stdin.readline(); print(secret_in(Path(sys.argv[1])))"
    command = [sys.executable, "-c", code, str(tmp_path / "data")]
    askers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for asker in askers:
        assert asker.stdin is not None
        asker.stdin.write("now\n")
        asker.stdin.flush()
    secrets = {asker.communicate(timeout=30)[0] for asker in askers}
    assert len(secrets) == 1
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["token-secret"]


def test_a_place_that_can_not_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file/below"):
        with pytest.raises(DataDirectoryUnusable, match="RECOURSE_DATA_DIR"):
            secret_in(folder)
