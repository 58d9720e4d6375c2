"""The hand-written mutations, each of them one transaction under the account's lock.

They leave out what makes up most of the real ones: schemas of evidence, rights, idempotency keys,
expected versions, the status that follows from requirements and holds, and the outbox.
"""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

LOCK = (
    "SELECT account_id, platform_id, email, event_sequence, event_hash FROM accounts "
    "WHERE account_id = $1 FOR UPDATE"
)
MOVE_ON = "UPDATE accounts SET event_sequence = $2, event_hash = $3 WHERE account_id = $1"
UPDATE = (
    "UPDATE accounts SET event_sequence = $2, event_hash = $3, email = $4, updated_at = $5, "
    "version = version + 1 WHERE account_id = $1"
)
MOVE = (
    "UPDATE requirements SET state = $4, updated_at = $5, version = version + 1, remind_at = NULL, "
    "submitted_at = CASE WHEN $4 = 'SUBMITTED' THEN $5 ELSE submitted_at END "
    "WHERE account_id = $1 AND id = $2 AND state = $3 RETURNING version"
)
EVIDENCE = (
    "INSERT INTO evidence (account_id, id, platform_id, requirement_id, payload, documents, "
    "submitted_by_kind, submitted_by_id, submitted_at) "
    "VALUES ($1, $2, $3, $4, $5, '[]', $6, $7, $8)"
)
HOLD = (
    "INSERT INTO holds (account_id, id, platform_id, capabilities, reason, placed_by_kind, "
    "placed_by_id, version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8)"
)
EVENT = (
    "INSERT INTO events (account_id, id, platform_id, sequence, type, at, actor_kind, actor_id, "
    "subject_type, subject_id, changes, previous_hash, hash) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
)


@dataclass(frozen=True)
class Caller:
    """Who asks, as events have it."""

    kind: str
    id: str


BARE_CALLER = Caller("REVIEWER", "bench")


class NotSo(Exception):
    """The requirement is not in the state that the mutation takes."""


def next_hash(previous: str, type: str, changes: dict[str, Any]) -> str:
    """What chains an event to the one before."""
    content = orjson.dumps([previous, type, changes])
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Change:
    """One mutation within an open transaction."""

    connection: Any
    caller: Caller
    now: datetime

    async def submit(self, body: dict[str, Any]) -> dict[str, Any]:
        account, requirement_id = await self._lock(body["id"]), own_id(body["id"])
        node = await self._move(account, requirement_id, "OPEN", "SUBMITTED", body["id"])
        evidence_id, payload = uuid.uuid4(), orjson.dumps(body["payload"]).decode()
        own = (account["account_id"], evidence_id, account["platform_id"], requirement_id)
        who = (self.caller.kind, self.caller.id)
        await self.connection.execute(EVIDENCE, *own, payload, *who, self.now)
        changes = {"evidenceId": str(evidence_id)}
        subject = ("Requirement", requirement_id)
        head = await self._record(account, "REQUIREMENT_SUBMITTED", subject, changes)
        await self.connection.execute(MOVE_ON, account["account_id"], *head)
        return {"requirementSubmit": {"requirement": node, "userErrors": []}}

    async def start_review(self, body: dict[str, Any]) -> dict[str, Any]:
        account, requirement_id = await self._lock(body["id"]), own_id(body["id"])
        node = await self._move(account, requirement_id, "SUBMITTED", "IN_REVIEW", body["id"])
        subject = ("Requirement", requirement_id)
        head = await self._record(account, "REQUIREMENT_REVIEW_STARTED", subject, {})
        await self.connection.execute(MOVE_ON, account["account_id"], *head)
        return {"requirementStartReview": {"requirement": node, "userErrors": []}}

    async def update(self, body: dict[str, Any]) -> dict[str, Any]:
        account, email = await self._lock(body["id"]), body["email"]
        changes = {"email": {"from": account["email"], "to": email}}
        subject = ("Account", account["account_id"])
        head = await self._record(account, "ACCOUNT_UPDATED", subject, changes)
        await self.connection.execute(UPDATE, account["account_id"], *head, email, self.now)
        node = {"id": body["id"], "email": email}
        return {"accountUpdate": {"account": node, "userErrors": []}}

    async def place(self, body: dict[str, Any]) -> dict[str, Any]:
        account, hold_id = await self._lock(body["accountId"]), uuid.uuid4()
        effect = {"capabilities": body["capabilities"], "reason": body["reason"]}
        own = (account["account_id"], hold_id, account["platform_id"])
        who = (self.caller.kind, self.caller.id)
        await self.connection.execute(HOLD, *own, *effect.values(), *who, self.now)
        head = await self._record(account, "HOLD_PLACED", ("Hold", hold_id), effect)
        await self.connection.execute(MOVE_ON, account["account_id"], *head)
        node = {"id": f"hld_{account['account_id'].hex}{hold_id.hex}", **effect, "version": 1}
        return {"holdPlace": {"hold": node, "userErrors": []}}

    async def _lock(self, id: str) -> Any:
        digits = id.partition("_")[2][:32]
        return await self.connection.fetchrow(LOCK, uuid.UUID(digits))

    async def _move(
        self, account: Any, requirement_id: uuid.UUID, before: str, to: str, id: str
    ) -> dict[str, Any]:
        version = await self.connection.fetchval(
            MOVE, account["account_id"], requirement_id, before, to, self.now
        )
        if version is None:
            raise NotSo(before)
        return {"id": id, "state": to, "version": version, "dueStatus": "PENDING_VERIFICATION"}

    async def _record(
        self, account: Any, type: str, subject: tuple[str, uuid.UUID], changes: dict[str, Any]
    ) -> tuple[int, str]:
        """Append the account's next event; gives what its row has to hold from now on."""
        sequence, previous = account["event_sequence"] + 1, account["event_hash"]
        hash = next_hash(previous, type, changes)
        own = (account["account_id"], uuid.uuid4(), account["platform_id"], sequence, type)
        who = (self.now, self.caller.kind, self.caller.id)
        what = (*subject, orjson.dumps(changes).decode(), previous, hash)
        await self.connection.execute(EVENT, *own, *who, *what)
        return sequence, hash


OPERATIONS = {
    "/submit": Change.submit,
    "/start-review": Change.start_review,
    "/update": Change.update,
    "/place": Change.place,
}


def own_id(id: str) -> uuid.UUID:
    """The second UUID of a global id."""
    return uuid.UUID(id[-32:])
