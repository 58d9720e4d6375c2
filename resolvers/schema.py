"""The schema: the root types, put together from the nouns."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Annotated, Any

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.tools import merge_types
from strawberry.types.base import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from models.account import ACCOUNTS
from models.errors import InvalidInput, RecourseError
from models.events import EVENTS
from models.evidence import EVIDENCE
from models.hold import HOLDS
from models.interaction import INTERACTIONS
from models.lookup import accounts_by_id
from models.note import NOTES
from models.program_reads import programs_by_id
from models.reading import Record
from models.requirement_reads import REQUIREMENTS
from models.resolution import RESOLUTIONS
from resolvers import ids
from resolvers.account import Account, account, accounts
from resolvers.account_mutations import AccountMutations
from resolvers.api_key import ApiKey, api_keys, api_keys_by_global_id
from resolvers.api_key_mutations import ApiKeyMutations
from resolvers.appeal_mutations import AppealMutations
from resolvers.audiences import shows_type
from resolvers.context import Info
from resolvers.errors import query_error
from resolvers.event import Event, events
from resolvers.evidence import Evidence
from resolvers.hold import Hold
from resolvers.hold_mutations import HoldMutations
from resolvers.ids import NOUNS
from resolvers.interaction import Interaction, interactions
from resolvers.interaction_mutations import InteractionMutations
from resolvers.loading import found_or_error, rows_by_global_id
from resolvers.node import Node
from resolvers.note import Note
from resolvers.note_mutations import NoteMutations
from resolvers.pagination import Connection
from resolvers.program import Program, program, programs
from resolvers.program_mutations import ProgramMutations
from resolvers.referral_mutations import ReferralMutations
from resolvers.rejection_mutations import RejectionMutations
from resolvers.requirement import Requirement
from resolvers.requirement_list import requirements
from resolvers.requirement_mutations import RequirementMutations
from resolvers.resolution import Resolution, resolutions
from resolvers.resolution_mutations import ResolutionMutations
from resolvers.scalars import SCALARS
from resolvers.selection import asked_columns
from resolvers.viewer import Viewer, viewer

MAX_NODES = 100
ROWS = {
    ids.EVENT: ("Event", EVENTS.table),
    ids.EVIDENCE: ("Evidence", EVIDENCE.table),
    ids.HOLD: ("Hold", HOLDS),
    ids.INTERACTION: ("Interaction", INTERACTIONS.table),
    ids.NOTE: ("Note", NOTES.table),
    ids.REQUIREMENT: ("Requirement", REQUIREMENTS.table),
    ids.RESOLUTION: ("Resolution", RESOLUTIONS.table),
}


async def _accounts_by_global_id(info: Info, texts: list[str]) -> list[Record | None]:
    account_ids = [ids.account_of(text, "id") for text in texts]
    columns = asked_columns(info, "Account")
    return await accounts_by_id(info.context.reader, ACCOUNTS.table, account_ids, columns)


async def _programs_by_global_id(info: Info, texts: list[str]) -> list[Record | None]:
    keys = [ids.key_of(text, ids.PROGRAM, "id")[1] for text in texts]
    return await programs_by_id(info.context.reader, keys, asked_columns(info, "Program"))


async def _load(info: Info, prefix: str, texts: list[str]) -> Sequence[Record | None]:
    if prefix == ids.ACCOUNT:
        return await _accounts_by_global_id(info, texts)
    if prefix == ids.PROGRAM:
        return await _programs_by_global_id(info, texts)
    if prefix == ids.API_KEY:
        return await api_keys_by_global_id(info, texts)
    type_name, table = ROWS[prefix]
    if not shows_type(info, type_name):
        # Their role may read nothing of these: to them there are none.
        return [None for _ in texts]
    return await rows_by_global_id(info, type_name, prefix, table, texts)


async def _one(info: Info, prefix: str, text: str) -> Any:
    info.context.spend(1)
    [row] = await _load(info, prefix, [text])
    return found_or_error(row, ids.NOUNS[prefix], "id")


def _checked(text: str, *field: str) -> str | RecourseError:
    """The prefix of a well-formed id, or the error that takes its object's place."""
    try:
        prefix = ids.prefix_of(text, *field)
        if prefix == ids.ACCOUNT:
            ids.account_of(text, *field)
        else:
            ids.key_of(text, prefix, *field)
        return prefix
    except RecourseError as error:
        return error


async def node(
    info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The global id.")]
) -> Any:
    """Any object, by its global id."""
    return await _one(info, ids.prefix_of(id, "id"), id)


async def nodes(
    info: Info,
    ids: Annotated[
        list[strawberry.ID], strawberry.argument(description="The global ids; at most 100.")
    ],
) -> Any:
    """Many objects, in the order of their ids; an error and null in the place of a missing one."""
    if len(ids) > MAX_NODES:
        raise InvalidInput(f"At most {MAX_NODES} ids.", ("ids",))
    info.context.spend(1 + len(ids))
    checked = [_checked(text, "ids", str(n)) for n, text in enumerate(ids)]
    found: dict[str, Any] = {}
    for prefix in dict.fromkeys(p for p in checked if isinstance(p, str)):
        texts = [text for text, p in zip(ids, checked, strict=True) if p == prefix]
        found.update(zip(texts, await _load(info, prefix, list(texts)), strict=True))
    return [
        query_error(p)
        if isinstance(p, RecourseError)
        else found_or_error(found[text], NOUNS[p], "ids", str(n))
        for n, (text, p) in enumerate(zip(ids, checked, strict=True))
    ]


async def requirement(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="The global id.")],
) -> Any:
    """One requirement."""
    return await _one(info, ids.REQUIREMENT, id)


async def interaction(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="The global id.")],
) -> Any:
    """One interaction."""
    return await _one(info, ids.INTERACTION, id)


async def resolution(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="The global id.")],
) -> Any:
    """One resolution."""
    return await _one(info, ids.RESOLUTION, id)


def _query(resolver: Callable[..., Any], description: str) -> Any:
    return strawberry.field(resolver=resolver, description=description)


@strawberry.type(description="What can be read.")
class Query:
    """The root of queries."""

    node: Node | None = _query(node, "Any object, by its global id.")
    nodes: list[Node | None] = _query(
        nodes, "Many objects, in the order of their ids; null in the place of a missing one."
    )
    viewer: Viewer = _query(viewer, "Who is asking, and what they may do.")
    account: Account | None = _query(account, "One account, by its global or external id.")
    accounts: Connection[Account] = _query(accounts, "The accounts of the platform.")
    requirement: Requirement | None = _query(requirement, "One requirement.")
    requirements: Connection[Requirement] = _query(
        requirements, "The requirements of the platform: the work queue."
    )
    interaction: Interaction | None = _query(interaction, "One interaction.")
    interactions: Connection[Interaction] = _query(
        interactions, "The interactions of the platform."
    )
    resolution: Resolution | None = _query(resolution, "One resolution.")
    resolutions: Connection[Resolution] = _query(resolutions, "The decisions of the platform.")
    program: Program | None = _query(program, "One version of a program.")
    programs: Connection[Program] = _query(
        programs, "The versions of the platform's programs, by code."
    )
    api_keys: Connection[ApiKey] | None = _query(
        api_keys,
        "The API keys of the platform, by when they were made; null for all but administrators.",
    )
    events: Connection[Event] = _query(
        events,
        "What happened to the platform's accounts, by the instant. An event that commits late may "
        "come before one that was seen already: to follow, look again at the last minute.",
    )


Mutation = merge_types(
    "Mutation",
    (
        AccountMutations,
        ApiKeyMutations,
        ReferralMutations,
        RejectionMutations,
        HoldMutations,
        NoteMutations,
        InteractionMutations,
        ProgramMutations,
        RequirementMutations,
        ResolutionMutations,
        AppealMutations,
    ),
)
get_object_definition(Mutation, strict=True).description = "What can be changed."


class Names(NameConverter):
    """Strawberry's names, each made once: it asks anew for each argument of each call."""

    def apply_naming_config(self, name: str) -> str:
        """The name in the schema of a Python name."""
        return _camel_case(name)


_camel_case = lru_cache(maxsize=4_096)(to_camel_case)
SCHEMA = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    types=[Event, Evidence, Hold, Note],
    config=StrawberryConfig(name_converter=Names(), scalar_map=SCALARS),
)


def _forget_null_defaults(schema: GraphQLSchema) -> None:
    """Let what may be left out have no default: `= null` reads as if null were a value of it."""
    for kind in schema.type_map.values():
        if kind.name.startswith("__"):
            continue  # These are every schema's in this process.
        places: list[GraphQLArgument | GraphQLInputField] = []
        if isinstance(kind, GraphQLInputObjectType):
            places += kind.fields.values()
        if isinstance(kind, GraphQLObjectType):
            places += (arg for field in kind.fields.values() for arg in field.args.values())
        for place in places:
            if place.default_value is None:
                place.default_value = Undefined


_forget_null_defaults(SCHEMA._schema)
