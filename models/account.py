"""The account: a business on the platform. Its table and lock are in `aggregate.py`."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, cast

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from models.actor import Actor
from models.aggregate import Account, AccountCommand, RiskTier, Unit
from models.authorisation import authorise, operation_of, refusal
from models.bounds import CREATED_AFTER, CREATED_BEFORE
from models.capability import Capability
from models.clock import Clock
from models.errors import AlreadyExists, ErrorCode, NotFound
from models.events import GENESIS_HASH, EventType
from models.idempotency import MAX_KEY_LENGTH
from models.ids import account_id_for
from models.lifecycle import touch
from models.listing import ListSpec
from models.operation import lock, operate, run_locked
from models.outcome import Outcome
from models.permission import Permission, Refusal
from models.search import MAX_SEARCH_WORDS, AccountTerm, has_term, term_rows, terms
from models.session import transaction
from models.status import AccountStatus, CapabilityKind, CapabilityStatus
from models.text import check_country, check_email, check_optional_text, check_text

MAX_EXTERNAL_ID_LENGTH = 200
MAX_NAME_LENGTH = 300


class AccountAction(StrEnum):
    """What may be done with an account."""

    UPDATE = "UPDATE"
    PLACE_HOLD = "PLACE_HOLD"
    OPEN_REQUIREMENT = "OPEN_REQUIREMENT"
    REJECT = "REJECT"
    REINSTATE = "REINSTATE"


# The operations of those actions that are another noun's.
OF_OTHERS = {
    AccountAction.PLACE_HOLD: "holdPlace",
    AccountAction.OPEN_REQUIREMENT: "requirementOpen",
}


class AccountExists(AlreadyExists):
    """The external id is taken, and stays so: it is what the account's id is made of."""

    def __init__(self, external_id: str) -> None:
        super().__init__("An account with this external id exists already.", ("externalId",))
        self.external_id = external_id


@dataclass(frozen=True, kw_only=True)
class CreateAccount:
    """What `create` takes; `capabilities` are the kinds asked for."""

    external_id: str
    business_name: str
    country: str
    email: str | None = None
    risk_tier: str = RiskTier.LOW
    capabilities: tuple[str, ...] = tuple(CapabilityKind)
    idempotency_key: str | None = None


@dataclass(frozen=True, kw_only=True)
class UpdateAccount(AccountCommand):
    """What `update` takes: only the fields in `changes` change.

    `changes` maps business_name, email, country, risk_tier or capabilities (a list of the kinds
    asked for) to new values.
    """

    named = ("account", "id")

    changes: Mapping[str, Any]

    def objects(self) -> Mapping[str, Any]:
        """The account's search terms, where its name may change."""
        return {"terms": True} if "business_name" in self.changes else {}


async def create(
    session: AsyncSession, actor: Actor, clock: Clock, command: CreateAccount
) -> Outcome[Account]:
    """Make an account. Raises `Forbidden`, `InvalidInput`, `AccountExists`."""
    authorise(actor, "accountCreate")
    _check_external_id(command.external_id)
    check_optional_text(command.idempotency_key, MAX_KEY_LENGTH, "idempotencyKey")
    _check_profile(_profile_of(command))
    account_id = account_id_for(actor.platform_id, command.external_id)

    async def step(unit: Unit) -> Account:
        if unit.account.event_sequence > 0:
            raise AccountExists(command.external_id)
        fill_new_account(unit, command)
        return unit.account

    keyed = _KeyedCreate(account_id=account_id, **vars(command))
    async with transaction(session, actor):
        await insert_blank(session, actor, account_id, command, clock.now())
        await lock(session, actor, account_id)
        return await run_locked(session, actor, clock, "accountCreate", keyed, Account, step)


async def update(
    session: AsyncSession, actor: Actor, clock: Clock, command: UpdateAccount
) -> Outcome[Account]:
    """Change what is known of an account. Raises `Forbidden`, `NotFound`, `StaleVersion`."""
    _check_profile(command.changes)

    async def step(unit: Unit) -> Account:
        unit.expect_version(command.expected_version)
        await change_profile(unit, command.changes)
        return unit.account

    return await operate(session, actor, clock, "accountUpdate", command, Account, step)


def fill_new_account(unit: Unit, command: CreateAccount) -> None:
    """Give a new account its capabilities, search terms and first event, within an open unit."""
    account, wanted = unit.account, set(command.capabilities)
    for kind in CapabilityKind:
        status = CapabilityStatus.ACTIVE if kind in wanted else CapabilityStatus.INACTIVE
        capability = Capability(
            account_id=account.account_id,
            platform_id=account.platform_id,
            kind=kind.value,
            requested=kind in wanted,
            status=status.value,
            updated_at=unit.now,
        )
        unit.capabilities.append(capability)
        unit.add(capability)
    unit.add(*_terms_of(account))
    changes = {**_profile_of(command), "external_id": command.external_id}
    unit.record_derived(
        EventType.ACCOUNT_CREATED, _camel({k: {"to": v} for k, v in changes.items()})
    )


async def change_profile(unit: Unit, changes: Mapping[str, Any]) -> None:
    """Change fields of the account within an open unit; what is the same already is no change."""
    account, real = unit.account, {}
    for name, value in changes.items():
        if name == "capabilities":
            real.update(_request_capabilities(unit, value))
        elif getattr(account, name) != value:
            real[name] = {"from": getattr(account, name), "to": value}
            setattr(account, name, value)
    if not real:
        return
    if "business_name" in real:
        await _replace_terms(unit)
    touch(account, unit.now)
    unit.record_derived(EventType.ACCOUNT_UPDATED, _camel(real))


@dataclass(frozen=True, kw_only=True)
class _KeyedCreate(CreateAccount):
    account_id: uuid.UUID

    def objects(self) -> Mapping[str, Any]:
        return {}


async def insert_blank(
    session: AsyncSession,
    actor: Actor,
    account_id: uuid.UUID,
    command: CreateAccount,
    now: datetime,
) -> None:
    """Make sure that there is a row to lock; one that is there already stays as it is."""
    values = _blank(actor, account_id, command, now)
    try:
        await session.execute(insert(Account).values(values).on_conflict_do_nothing())
    except IntegrityError as error:
        # Its checks hold by now: what can fail is the key to the platform.
        raise NotFound("platform", ()) from error


def _blank(
    actor: Actor, account_id: uuid.UUID, command: CreateAccount, now: datetime
) -> dict[str, Any]:
    """The account's row before its first event: nothing has happened to it yet."""
    profile = _profile_of(command)
    profile.pop("capabilities")
    return {
        **profile,
        "account_id": account_id,
        "platform_id": actor.platform_id,
        "external_id": command.external_id,
        "status": AccountStatus.ENABLED.value,
        "derived_at": now,
        "event_sequence": 0,
        "event_hash": GENESIS_HASH,
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }


def new_account(actor: Actor, command: CreateAccount, now: datetime) -> Account:
    """The same as an object, for those who build accounts in memory."""
    account_id = account_id_for(actor.platform_id, command.external_id)
    return Account(**_blank(actor, account_id, command, now))


def _check_external_id(value: str) -> None:
    check_text(value, MAX_EXTERNAL_ID_LENGTH, "externalId")


def _check_profile(changes: Mapping[str, Any]) -> None:
    if "business_name" in changes:
        check_text(changes["business_name"], MAX_NAME_LENGTH, "businessName")
    if "country" in changes:
        check_country(changes["country"], "country")
    if changes.get("email") is not None:
        check_email(changes["email"], "email")


def _profile_of(command: CreateAccount) -> dict[str, Any]:
    return {
        "business_name": command.business_name,
        "country": command.country,
        "email": command.email,
        "risk_tier": RiskTier(command.risk_tier).value,
        "capabilities": sorted(command.capabilities),
    }


def _request_capabilities(unit: Unit, wanted: Sequence[str]) -> dict[str, Any]:
    before = sorted(c.kind for c in unit.capabilities if c.requested)
    after = sorted({CapabilityKind(kind).value for kind in wanted})
    for capability in unit.capabilities:
        capability.requested = capability.kind in after
    return {"capabilities": {"from": before, "to": after}} if before != after else {}


def _terms_of(account: Account) -> Iterable[AccountTerm]:
    words = [account.external_id.casefold(), *terms(account.external_id, account.business_name)]
    return term_rows(account.account_id, account.platform_id, dict.fromkeys(words))


async def _replace_terms(unit: Unit) -> None:
    kept = {row.term: row for row in unit.find_all(AccountTerm)}
    for row in _terms_of(unit.account):
        if kept.pop(row.term, None) is None:
            unit.add(row)
    for row in kept.values():
        await unit.store.delete(row)


def _camel(changes: Mapping[str, Any]) -> dict[str, Any]:
    def camel(name: str) -> str:
        first, *rest = name.split("_")
        return first + "".join(word.title() for word in rest)

    return {camel(name): value for name, value in changes.items()}


SEARCHES = tuple(f"term_{n}" for n in range(MAX_SEARCH_WORDS))
ACCOUNTS = ListSpec(
    name="accounts",
    table=cast(Table, Account.__table__),
    orders={"CREATED_AT": "created_at", "NEXT_DEADLINE": "sort_next_deadline"},
    dimensions={"country": "country", "risk_tier": "risk_tier"},
    states=tuple(AccountStatus),
    state_column="status",
    conditions={
        "created_after": CREATED_AFTER,
        "created_before": CREATED_BEFORE,
        **{name: partial(has_term, number=n) for n, name in enumerate(SEARCHES)},
    },
    checked=("created_at",),
    searches=SEARCHES,
    tie=("account_id",),
)
ACCOUNTS.declare_indexes()


def permissions(row: Any, actor: Actor) -> list[Permission]:
    """What the actor may do with the account now, one entry per action.

    `row` is an account or a record of its rejected_reason.
    """
    return [Permission(action, tuple(_refusals(row, actor, action))) for action in AccountAction]


def illegal_action(row: Any, action: AccountAction) -> bool:
    """Whether the action does not fit: only what is not rejected is, and the other way round."""
    rejected = row.rejected_reason is not None
    return action is (AccountAction.REJECT if rejected else AccountAction.REINSTATE)


def _refusals(row: Any, actor: Actor, action: AccountAction) -> Iterable[Refusal]:
    if illegal_action(row, action):
        message = f"The account is {'' if row.rejected_reason else 'not '}rejected."
        yield Refusal(ErrorCode.ILLEGAL_TRANSITION, message)
    operation = OF_OTHERS.get(action) or operation_of("account", action)
    if (forbidden := refusal(actor, operation)) is not None:
        yield forbidden
