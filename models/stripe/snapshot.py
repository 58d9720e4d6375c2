"""What one of Stripe's v1 account objects says, checked and in our own terms.

https://docs.stripe.com/api/accounts/object is the reference. What is of no use here is passed over;
what is of use and of the wrong shape makes the whole object unusable, with the place named.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from models.account import MAX_EXTERNAL_ID_LENGTH, MAX_NAME_LENGTH
from models.errors import InvalidInput
from models.events import plain_json
from models.requirement import MAX_CODE_LENGTH, MAX_ENTRIES, MAX_MESSAGE_LENGTH, Error
from models.status import REJECTED_REASONS, CapabilityKind, HoldReason
from models.text import MAX_EMAIL_LENGTH, check_country, check_email, check_text

# Whatever changes what is made of an object changes this, so that it is imported again.
RULES = 1
MAX_FIELD_LENGTH = 200
MAX_FIELDS = 500
# The year 3000: beyond it a number is a mistake, such as milliseconds.
MAX_TIME = 32_503_680_000
KINDS = {
    "card_payments": CapabilityKind.CARD_PAYMENTS,
    "transfers": CapabilityKind.TRANSFERS,
}
REQUESTED = frozenset({"active", "inactive", "pending", True})
HOLDS = {
    "listed": HoldReason.LISTED,
    "platform_paused": HoldReason.PLATFORM_PAUSED,
    "under_review": HoldReason.UNDER_REVIEW,
}
# What follows from requirements and requests, which stand elsewhere in the object.
DERIVED = ("requirements.", "action_required.")


class Due(StrEnum):
    """Which of Stripe's lists a field is on, the most pressing last."""

    PENDING = "PENDING"
    EVENTUALLY = "EVENTUALLY"
    FUTURE = "FUTURE"
    CURRENTLY = "CURRENTLY"
    PAST = "PAST"


@dataclass(frozen=True)
class Ask:
    """One field that Stripe asks for. `deadline` is in seconds since 1970."""

    field: str
    due: Due
    deadline: int | None = None
    errors: tuple[Error, ...] = ()
    group: str | None = None
    option: str | None = None


@dataclass(frozen=True)
class Snapshot:
    """All that is made of one object. `ignored` names the capabilities that are not ours."""

    external_id: str
    business_name: str
    country: str
    email: str | None
    capabilities: tuple[str, ...]
    ignored: tuple[str, ...]
    asks: tuple[Ask, ...]
    rejected_reason: str | None
    hold: HoldReason | None

    @property
    def digest(self) -> str:
        """The SHA-256, in hex, of what the object says: the same as long as nothing changes."""
        said = {name: value for name, value in asdict(self).items() if name != "ignored"}
        return hashlib.sha256(plain_json([RULES, said])).hexdigest()


def parse(value: Any) -> Snapshot:
    """What the object says; raises `InvalidInput` naming the place that is wrong."""
    if not isinstance(value, dict):
        raise InvalidInput("Not a JSON object.")
    kind = value.get("object", "account")
    if kind != "account":
        raise InvalidInput(f"Not an account, but of the kind {str(kind)[:50]!r}.", ("object",))
    external_id = _text(value, "id", MAX_EXTERNAL_ID_LENGTH)
    if external_id is None:
        raise InvalidInput("There is no id.", ("id",))
    email = _text(value, "email", MAX_EMAIL_LENGTH)
    if email is not None:
        check_email(email, "email")
    kinds, ignored = _capabilities(value)
    reason = _disabled_reason(value)
    return Snapshot(
        external_id=external_id,
        business_name=_name(value) or email or external_id,
        country=_country(value),
        email=email,
        capabilities=kinds,
        ignored=ignored,
        asks=tuple(_asks(value)),
        rejected_reason=_rejected(reason),
        hold=_hold(reason),
    )


def _name(value: Mapping[str, Any]) -> str | None:
    for section in ("business_profile", "company"):
        name = _text(_section(value, section), "name", MAX_NAME_LENGTH, section)
        if name is not None:
            return name
    person = _section(value, "individual")
    parts = [
        _text(person, key, MAX_NAME_LENGTH // 2 - 1, "individual")
        for key in ("first_name", "last_name")
    ]
    return " ".join(part for part in parts if part) or None


def _country(value: Mapping[str, Any]) -> str:
    country = _text(value, "country", MAX_NAME_LENGTH)
    if country is None:
        raise InvalidInput("There is no country.", ("country",))
    return check_country(country, "country")


def _capabilities(value: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The kinds asked for, and Stripe's names of those that are not ours."""
    kinds, ignored = {CapabilityKind.PAYOUTS.value}, []
    for name, status in _section(value, "capabilities").items():
        if name not in KINDS:
            ignored.append(name)
        elif _is_requested(status, "capabilities", name):
            kinds.add(KINDS[name].value)
    return tuple(sorted(kinds)), tuple(sorted(ignored))


def _is_requested(status: Any, *where: str) -> bool:
    if status is not None and not isinstance(status, str | bool):
        raise InvalidInput("Not the status of a capability.", where)
    return status in REQUESTED


def _disabled_reason(value: Mapping[str, Any]) -> str | None:
    section = _section(value, "requirements")
    return _text(section, "disabled_reason", MAX_CODE_LENGTH, "requirements")


def _rejected(reason: str | None) -> str | None:
    if reason is None or not reason.startswith("rejected."):
        return None
    # A platform's own rejection has the same grounds under names of their own.
    plain = reason.replace("rejected.platform_", "rejected.")
    return plain if plain in REJECTED_REASONS else "rejected.other"


def _hold(reason: str | None) -> HoldReason | None:
    if reason is None or reason.startswith(("rejected.", *DERIVED)):
        return None
    return HOLDS.get(reason, HoldReason.OTHER)


def _asks(value: Mapping[str, Any]) -> list[Ask]:
    now, future = _Lists(value, "requirements"), _Lists(value, "future_requirements")
    found: dict[str, Ask] = {}
    for ask in (*now.current(_disabled_reason(value)), *future.future()):
        found.setdefault(ask.field, ask)
    for lists in (now, future):
        lists.add_errors(found)
    for lists in (now, future):
        lists.add_alternatives(found)
    if len(found) > MAX_FIELDS:
        raise InvalidInput(f"At most {MAX_FIELDS} requirements, not {len(found)}.")
    return [found[field] for field in sorted(found)]


class _Lists:
    """The lists of one of the object's two hashes of requirements."""

    def __init__(self, value: Mapping[str, Any], name: str) -> None:
        self.name = name
        self.section = _section(value, name)
        self.deadline = self._time("current_deadline")

    def current(self, disabled_reason: str | None) -> Iterator[Ask]:
        """What is asked for now, the most pressing first."""
        past, due = self.fields("past_due"), self.fields("currently_due")
        # Where Stripe says that it is too late and not for what, it is for all that is due.
        overdue = disabled_reason == "requirements.past_due" and not past
        yield from (Ask(field, Due.PAST, self.deadline) for field in past)
        kind = Due.PAST if overdue else Due.CURRENTLY
        yield from (Ask(field, kind, self.deadline) for field in due)
        yield from (Ask(field, Due.PENDING) for field in self.fields("pending_verification"))
        yield from (Ask(field, Due.EVENTUALLY) for field in self.fields("eventually_due"))

    def future(self) -> Iterator[Ask]:
        """What will be asked for from a time on."""
        for name in ("past_due", "currently_due"):
            yield from (Ask(field, Due.FUTURE, self.deadline) for field in self.fields(name))
        yield from (Ask(field, Due.PENDING) for field in self.fields("pending_verification"))
        yield from (Ask(field, Due.EVENTUALLY) for field in self.fields("eventually_due"))

    def fields(self, name: str) -> list[str]:
        """The names of fields on one list."""
        return _fields(self.section.get(name), self.name, name)

    def add_errors(self, found: dict[str, Ask]) -> None:
        """Give each field what Stripe says is wrong with it; it is due again if on no list."""
        errors: dict[str, list[Error]] = {}
        for index, entry in enumerate(_list(self.section.get("errors"), self.name, "errors")):
            field, error = _error(entry, self.name, "errors", str(index))
            errors.setdefault(field, []).append(error)
        for field, listed in errors.items():
            ask = found.get(field) or Ask(field, self._due_by_default(), self.deadline)
            known = dict.fromkeys((*ask.errors, *listed))
            found[field] = replace(ask, errors=tuple(known)[:MAX_ENTRIES])

    def add_alternatives(self, found: dict[str, Ask]) -> None:
        """Group each list of fields with the lists that may be given in its place."""
        entries = _list(self.section.get("alternatives"), self.name, "alternatives")
        for index, entry in enumerate(entries):
            where = (self.name, "alternatives", str(index))
            if not isinstance(entry, dict):
                raise InvalidInput("Not a JSON object.", where)
            originals = _fields(entry.get("original_fields_due"), *where, "original_fields_due")
            others = _fields(entry.get("alternative_fields_due"), *where, "alternative_fields_due")
            self._group(found, originals, others)

    def _group(
        self, found: dict[str, Ask], originals: Sequence[str], others: Sequence[str]
    ) -> None:
        others = [field for field in others if field not in originals]
        if not originals or not others:
            return
        group = f"stripe:{_short_hash(originals)}"
        known = [found[field] for field in originals if field in found]
        # An alternative is as pressing as what it stands for.
        like = max(known, key=_pressure, default=Ask("", self._due_by_default(), self.deadline))
        options = {"original": originals, f"alternative:{_short_hash(others)}": others}
        for option, fields in options.items():
            for field in fields:
                ask = found.get(field) or Ask(field, like.due, like.deadline)
                if ask.group is None:
                    ask = replace(ask, group=group, option=option)
                found[field] = ask

    def _due_by_default(self) -> Due:
        return Due.CURRENTLY if self.name == "requirements" else Due.FUTURE

    def _time(self, name: str) -> int | None:
        value = self.section.get(name)
        if value is None:
            return None
        if type(value) is not int or not 0 <= value <= MAX_TIME:
            raise InvalidInput("Not a time in seconds since 1970.", (self.name, name))
        return value


def _pressure(ask: Ask) -> int:
    return list(Due).index(ask.due)


def _short_hash(fields: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(sorted(fields)).encode()).hexdigest()[:16]


def _error(entry: Any, *where: str) -> tuple[str, Error]:
    if not isinstance(entry, dict):
        raise InvalidInput("Not a JSON object.", where)
    field = _text(entry, "requirement", MAX_FIELD_LENGTH, *where)
    code = _text(entry, "code", MAX_CODE_LENGTH, *where)
    if field is None or code is None:
        raise InvalidInput("An error must have a requirement and a code.", where)
    reason = _text(entry, "reason", MAX_MESSAGE_LENGTH, *where)
    return field, Error(code=code, message=reason or code, field=field)


def _fields(value: Any, *where: str) -> list[str]:
    found = [
        _check_string(item, MAX_FIELD_LENGTH, *where, str(index))
        for index, item in enumerate(_list(value, *where))
    ]
    return list(dict.fromkeys(found))


def _section(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = value.get(name)
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise InvalidInput("Not a JSON object.", (name,))
    return section


def _list(value: Any, *where: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidInput("Not a JSON array.", where)
    return value


def _text(value: Mapping[str, Any], key: str, longest: int, *where: str) -> str | None:
    """The text under a key; None where there is none, or only blanks."""
    text = value.get(key)
    if text is None or (isinstance(text, str) and not text.strip()):
        return None
    return _check_string(text, longest, *where, key)


def _check_string(value: Any, longest: int, *where: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput("Not text.", where)
    return check_text(value, longest, *where)
