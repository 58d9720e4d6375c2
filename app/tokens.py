"""Development tokens: JWTs that this installation signs itself."""

import os
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import jwt

from app.authentication.memory import Memory
from app.authentication.refusals import TokenRefused
from app.authentication.verified import Verified, times_in
from app.embedded import DataDirectoryUnusable
from app.settings import Settings
from models.actor import Actor, Role
from models.authorisation import CALLERS, DEFAULT_SCOPES
from models.clock import Clock, SystemClock
from models.errors import InvalidInput
from models.ids import account_id_for, platform_id_for
from models.text import check_optional_text, check_own_name
from resolvers.ids import ACCOUNT, decode_account

ALGORITHM = "HS256"
ISSUER = AUDIENCE = "recourse"
LIFETIME = timedelta(days=30)
LEEWAY_SECONDS = 10
MAX_VERIFIED = 1_000
SECRET_BYTES = 32
MAX_SUBJECT_LENGTH = 200
WRONG = (
    *(jwt.PyJWTError, InvalidInput, ValueError, TypeError, KeyError, AttributeError),
    *(OverflowError, RecursionError),
)
REQUIRED_CLAIMS = ["sub", "role", "platform", "iss", "aud", "iat", "exp"]


class DevelopmentTokensRefused(Exception):
    """Development tokens are for trying out, and this is no place for it."""

    def __init__(self) -> None:
        super().__init__(
            "Development tokens are not taken here. Connect an identity provider, or make an API "
            "key: recourse api-key create. To try out all the same, set"
            " RECOURSE_DEVELOPMENT_TOKENS=true."
        )


class SecretMissing(Exception):
    """There is nothing to sign with that a server would know."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(
            f"There is no secret to sign with in {data_dir.absolute()}. Name the server's: where"
            " it lies with RECOURSE_DATA_DIR, or itself with RECOURSE_TOKEN_SECRET."
        )


@dataclass(frozen=True)
class TokenSigner:
    """Signs and reads development tokens with one secret."""

    secret: str
    clock: Clock
    known: Memory[str, Verified] = field(
        default_factory=lambda: Memory(MAX_VERIFIED), compare=False, repr=False
    )

    def sign(
        self, role: Role, platform: str, subject: str, account_id: uuid.UUID | None = None
    ) -> str:
        """A token for `subject`; `account_id` goes with account users, and only with them."""
        now = self.clock.now()
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "role": role.lower(),
            "platform": str(platform_id_for(platform)),
            "scopes": [str(scope) for scope in DEFAULT_SCOPES.get(role, ())],
            "iat": now,
            "exp": now + LIFETIME,
        }
        if account_id is not None:
            claims["account"] = str(account_id)
        return jwt.encode(claims, self.secret, algorithm=ALGORITHM)

    def knows(self, token: str) -> bool:
        """Whether the token's signature was found good before."""
        return self.known.get(token) is not None

    async def read(self, token: str) -> Actor:
        """Who the token is for; raises `TokenRefused`."""
        verified = self.known.get(token)
        if verified is None:
            # Checking a signature takes 60 microseconds, so that is done once.
            verified = self._verified(token)
            self.known.put(token, verified)
        return verified.actor_at(self.clock.now(), LEEWAY_SECONDS)

    def _verified(self, token: str) -> Verified:
        try:
            claims = jwt.decode(
                token,
                self.secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                # The library would read the machine's clock; ours is injected.
                options={
                    "require": REQUIRED_CLAIMS,
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
            return Verified(_actor(claims), *times_in(claims))
        except WRONG as error:
            raise TokenRefused from error


def _actor(claims: dict[str, object]) -> Actor:
    role = Role(str(claims["role"]).upper())
    account = claims.get("account")
    if role not in CALLERS or (role is Role.ACCOUNT_USER) != (account is not None):
        raise ValueError(role)
    name = claims.get("name")
    scopes = claims.get("scopes") or []
    if not isinstance(scopes, list):
        raise TypeError(scopes)
    return Actor(
        role=role,
        id=check_own_name(str(claims["sub"]), MAX_SUBJECT_LENGTH, "sub"),
        platform_id=uuid.UUID(str(claims["platform"])),
        account_id=None if account is None else uuid.UUID(str(account)),
        name=check_optional_text(None if name is None else str(name), MAX_SUBJECT_LENGTH, "name"),
        scopes=frozenset(str(scope) for scope in scopes),
    )


def account_named(platform: str, text: str) -> uuid.UUID:
    """The account that a person means: by its global id, or by the platform's own id."""
    if text.startswith(f"{ACCOUNT}_"):
        return decode_account(text, "account")
    return account_id_for(platform_id_for(platform), text)


def secret_in(data_dir: Path) -> str:
    """The secret of the data directory, made when first asked for; readable by its owner only.

    Raises `DataDirectoryUnusable`.
    """
    path = _path_of_secret(data_dir)
    try:
        if not path.exists():
            _make_secret(path)
        return path.read_text().strip()
    except OSError as error:
        raise DataDirectoryUnusable(data_dir, error.strerror or error) from error


def _path_of_secret(data_dir: Path) -> Path:
    return data_dir / "token-secret"


def _make_secret(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.new")
    unfinished.touch(mode=0o600)
    unfinished.write_text(secrets.token_hex(SECRET_BYTES))
    try:
        # Two at once: the first one's secret stays.
        os.link(unfinished, path)
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()


def signer_for(settings: Settings) -> TokenSigner:
    """What signs the tokens of these settings; raises `DevelopmentTokensRefused`."""
    if not settings.takes_development_tokens:
        raise DevelopmentTokensRefused
    if settings.token_secret is None:
        return TokenSigner(secret_in(settings.data_dir), SystemClock())
    return TokenSigner(settings.token_secret.get_secret_value(), SystemClock())


def known_signer_for(settings: Settings) -> TokenSigner:
    """As `signer_for`, but never with a secret that no server may know. Raises `SecretMissing`.

    A secret made beside the embedded store is there for its server; one made beside nothing is not.
    """
    if not settings.takes_development_tokens:
        raise DevelopmentTokensRefused
    has_own = settings.token_secret is not None or settings.database_url is None
    if not has_own and not _path_of_secret(settings.data_dir).exists():
        raise SecretMissing(settings.data_dir)
    return signer_for(settings)
