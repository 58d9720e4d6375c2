"""Who may do what: one table of operation, role and condition, and all that reads it.

An operation is called as its mutation. `operate` holds every one against the table, so that it is
guarded whoever calls it; `allowedActions`, `viewer`, `@requires`, the descriptions of mutations and
the pages read the same lines. A role without a line in the table changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from models.actor import Actor, Role, Scope, same_caller
from models.errors import ErrorCode, Forbidden
from models.permission import Refusal


class Condition(StrEnum):
    """Under which condition a role may, in words that end the sentence 'X may do Y ...'."""

    ALWAYS = "always"
    # Held by row-level security: to an account's user there are no others.
    OWN_ACCOUNT = "of its own account"
    # Held by the step, with the row that it is about.
    OWN_PROGRAM = "under its own programs"
    OPENED_IT = "if it opened them itself"
    # Held by the step, with FOUR_EYES, and by check constraints.
    BY_ANOTHER = "if somebody else made them"
    TOOK_NO_PART = "if others proposed, took and appealed the decision"


_USER, _SERVICE = Role.ACCOUNT_USER, Role.INTEGRATOR
_STAFF = (Role.REVIEWER, Role.SENIOR_REVIEWER, Role.ADMIN)
_SENIORS = (Role.SENIOR_REVIEWER, Role.ADMIN)
Roles = Mapping[Role, Condition]


def _always(*roles: Role) -> Roles:
    return dict.fromkeys(roles, Condition.ALWAYS)


_REVIEW = _always(*_STAFF)
_FOR_THE_ACCOUNT = {_USER: Condition.OWN_ACCOUNT, **_REVIEW}
_WRITE = {_SERVICE: Condition.ALWAYS, **_REVIEW}
_HAND_IN = {_SERVICE: Condition.ALWAYS, **_FOR_THE_ACCOUNT}
_SECOND = dict.fromkeys(_STAFF, Condition.BY_ANOTHER)
_JUDGE = dict.fromkeys(_STAFF, Condition.TOOK_NO_PART)
_DECLARE = {_SERVICE: Condition.OWN_PROGRAM, Role.ADMIN: Condition.ALWAYS}


@dataclass(frozen=True)
class Rule:
    """Who may use one operation.

    `what` ends the sentence 'The role X may not ...'. `scope` is needed beside the role: for
    waivers only, where `for_waivers` says so. Recourse itself may, unless it is for `people_only`.
    """

    what: str
    roles: Roles
    scope: Scope | None = None
    for_waivers: bool = False
    people_only: bool = False


_WAIVE = Scope.REQUIREMENT_WAIVE
OPERATIONS: Mapping[str, Rule] = {
    "accountCreate": Rule("create accounts", _always(_SERVICE, Role.ADMIN)),
    "accountUpdate": Rule("update accounts", _WRITE),
    "accountReject": Rule("reject accounts", _REVIEW),
    "accountReinstate": Rule("reinstate accounts", _REVIEW),
    "holdPlace": Rule("place holds", _REVIEW),
    "holdRelease": Rule("release holds", _REVIEW),
    "programPublish": Rule("publish programs", _DECLARE),
    "programRetire": Rule("retire programs", _DECLARE),
    "requirementOpen": Rule("open requirements", {_SERVICE: Condition.OWN_PROGRAM, **_REVIEW}),
    "requirementSubmit": Rule("submit evidence", _FOR_THE_ACCOUNT),
    "requirementStartReview": Rule("start reviews", _REVIEW),
    "requirementRequestChanges": Rule("request changes", _REVIEW),
    "requirementApprove": Rule("approve what was submitted", _REVIEW),
    "requirementReject": Rule("reject what was submitted", _REVIEW),
    "requirementWaive": Rule("waive requirements", _REVIEW, _WAIVE),
    "requirementCancel": Rule(
        "cancel requirements", {_SERVICE: Condition.OPENED_IT, **_always(*_SENIORS)}
    ),
    "requirementExtend": Rule("extend deadlines", _REVIEW),
    "requirementAssign": Rule("assign requirements", _REVIEW),
    "requirementPrioritize": Rule("set the priority of requirements", _REVIEW),
    "requirementRefer": Rule("refer requirements to third parties", _REVIEW),
    "requirementRecall": Rule("recall requirements from third parties", _REVIEW),
    "requirementReopen": Rule("reopen requirements", _REVIEW),
    "requirementAppeal": Rule("appeal against rejections", _FOR_THE_ACCOUNT),
    "resolutionApprove": Rule("approve proposals", _SECOND, _WAIVE, for_waivers=True),
    "resolutionDecline": Rule("decline proposals", _SECOND),
    # Not even by Recourse itself: an appeal is never decided by a machine alone.
    "resolutionUphold": Rule("uphold rejections, in appeals", _JUDGE, people_only=True),
    "resolutionOverturn": Rule("overturn rejections, in appeals", _JUDGE, people_only=True),
    "noteAdd": Rule("write notes", {_SERVICE: Condition.OWN_PROGRAM, **_REVIEW}),
    "interactionDraft": Rule("draft contacts", _WRITE),
    "interactionUpdate": Rule("change contacts", _WRITE),
    "interactionSchedule": Rule("schedule contacts", _WRITE),
    "interactionSend": Rule("send contacts", _WRITE),
    "interactionReport": Rule("report on contacts", _WRITE),
    "interactionCancel": Rule("cancel contacts", _WRITE),
    "interactionReceive": Rule("hand in messages", _HAND_IN),
    "apiKeyCreate": Rule("make API keys", _always(Role.ADMIN)),
    "apiKeyRotate": Rule("rotate API keys", _always(Role.ADMIN)),
    "apiKeyRevoke": Rule("revoke API keys", _always(Role.ADMIN)),
    # Those of the loops, which are no mutations: nobody's but Recourse's.
    "interactionLetOut": Rule("let out what is due", {}),
    "interactionTake": Rule("take e-mails to the mail server", {}),
    "interactionSettle": Rule("note what came of e-mails", {}),
}
MUTATIONS = {operation: rule for operation, rule in OPERATIONS.items() if rule.roles}
# What a development token of a role carries; other issuers say it of each caller.
DEFAULT_SCOPES: Mapping[Role, tuple[Scope, ...]] = dict.fromkeys(_STAFF, (_WAIVE,))


def development_subject(role: Role) -> str:
    """Whom a development token of a role stands for, unless somebody is named."""
    return f"dev-{role.lower()}"


# Those of a caller; SYSTEM is nobody's.
CALLERS = tuple(role for role in Role if role is not Role.SYSTEM)
# Those whose every transaction is read only, in the database too.
READERS = frozenset(CALLERS) - {role for rule in MUTATIONS.values() for role in rule.roles}


def refusal(actor: Actor, operation: str, waiver: bool = False) -> Refusal | None:
    """What the actor's role and scopes say against an operation, whatever it is about.

    `waiver` says that it is about one.
    """
    rule = OPERATIONS[operation]
    by_system = actor.role is Role.SYSTEM and not rule.people_only
    if not by_system and actor.role not in rule.roles:
        return Refusal(ErrorCode.FORBIDDEN, f"The role {actor.role} may not {rule.what}.")
    needed = rule.scope if waiver or not rule.for_waivers else None
    if needed is not None and needed not in actor.scopes:
        return Refusal(ErrorCode.FORBIDDEN, f"This needs the scope {needed}.")
    return None


def authorise(actor: Actor, operation: str, waiver: bool = False) -> None:
    """Raise `Forbidden` where the actor's role or scopes don't allow the operation."""
    if (found := refusal(actor, operation, waiver)) is not None:
        raise Forbidden(found.message)


def refusal_of(actor: Actor, operation: str, row: Any) -> Refusal | None:
    """What the condition of the actor's role says against the operation on `row`.

    `row` is a requirement for OPENED_IT, with opened_by_kind and _id; a program version for
    OWN_PROGRAM, with owner, published_by_kind and _id.
    """
    condition = OPERATIONS[operation].roles.get(actor.role)
    holds = _HOLDS.get(condition) if condition is not None else None
    if condition is None or holds is None or holds(actor, row):
        return None
    what = OPERATIONS[operation].what
    message = f"The role {actor.role} may {what} only {condition}."
    return Refusal(ErrorCode.FORBIDDEN, message)


def authorise_on(actor: Actor, operation: str, row: Any) -> None:
    """Raise `Forbidden` where the condition of the actor's role does not hold of `row`."""
    if (found := refusal_of(actor, operation, row)) is not None:
        raise Forbidden(found.message)


def needs_program(actor: Actor, operation: str) -> bool:
    """Whether it depends on the program if the actor may."""
    return OPERATIONS[operation].roles.get(actor.role) is Condition.OWN_PROGRAM


def operation_of(noun: str, action: str) -> str:
    """The operation that takes an action of a noun's lifecycle: requirement, START_REVIEW."""
    return noun + "".join(word.title() for word in action.split("_"))


def _owns(actor: Actor, program: Any) -> bool:
    """Whether the program names the service as its owner, or it published this version."""
    published = same_caller(actor, program.published_by_kind, program.published_by_id)
    return published or bool(program.owner == actor.id)


def _opened(actor: Actor, requirement: Any) -> bool:
    return same_caller(actor, requirement.opened_by_kind, requirement.opened_by_id)


_HOLDS: Mapping[Condition, Callable[[Actor, Any], bool]] = {
    Condition.OWN_PROGRAM: _owns,
    Condition.OPENED_IT: _opened,
}


def in_words(operation: str) -> str:
    """What an operation needs of its caller, as the descriptions of mutations say it."""
    rule = OPERATIONS[operation]
    shared = next(iter(rule.roles.values())) if len(set(rule.roles.values())) == 1 else None
    plain = (Condition.ALWAYS, shared)
    named = " or ".join(
        role if condition in plain else f"{role} ({condition})"
        for role, condition in ((one, rule.roles[one]) for one in CALLERS if one in rule.roles)
    )
    of_all = "" if shared in (None, Condition.ALWAYS) else f", {shared}"
    words = f"Needs the role {named}{of_all}."
    if rule.scope is not None:
        words += f" Needs the scope {rule.scope}{', for a waiver' * rule.for_waivers}."
    return words


def markdown() -> str:
    """The table, for the documentation: a line for each operation, a column for each role."""
    lines = [
        f"| operation | {' | '.join(f'`{role.lower()}`' for role in CALLERS)} | scope |",
        f"| --- |{' --- |' * len(CALLERS)} --- |",
    ]
    for operation, rule in MUTATIONS.items():
        cells = [_cell(rule.roles.get(role)) for role in CALLERS]
        scope = "" if rule.scope is None else f"`{rule.scope}`{', for a waiver' * rule.for_waivers}"
        lines.append(f"| `{operation}` | {' | '.join(cells)} | {scope} |")
    return "\n".join(lines)


def _cell(condition: Condition | None) -> str:
    if condition is None:
        return ""
    return "yes" if condition is Condition.ALWAYS else condition.value
