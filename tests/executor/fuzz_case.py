"""Cases: a number makes a schema, its data and a document; always the same ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import DocumentNode, parse, validate

from tests.executor.fuzz_compare import Difference, Request, difference
from tests.executor.fuzz_data import DataMaker
from tests.executor.fuzz_document import Document, DocumentMaker
from tests.executor.fuzz_plain import PlainWorld
from tests.executor.fuzz_spec import SpecMaker
from tests.executor.fuzz_strawberry import StrawberryWorld
from tests.executor.fuzz_world import World

CASES_PER_SCHEMA = 50
CASES_PER_DATA = 5
# Some documents give one name to fields that can't be merged; those are made again.
MAX_ATTEMPTS = 20


@dataclass
class Case:
    """One document on one schema with one set of data."""

    seed: int
    number: int
    world: World
    roots: dict[str, Any]
    twin: World
    twin_roots: dict[str, Any]
    document: Document
    node: DocumentNode

    @property
    def is_valid(self) -> bool:
        """Whether graphql-core's validation lets the document through."""
        return not validate(self.world.schema, self.node)

    def requests(self) -> Iterator[Request]:
        """Each operation with both sets of variables; the second finds the plan of the first."""
        for variables in self.document.variables:
            for operation in self.document.operations:
                worlds = (self.world, self.roots, self.twin, self.twin_roots)
                yield Request(*worlds, self.node, operation, variables)

    async def difference(self, executor: Any) -> tuple[Request, Difference] | None:
        """The first difference between the executor and graphql-core's."""
        for request in self.requests():
            found = await difference(request, executor)
            if found is not None:
                return request, found
        return None


@lru_cache(maxsize=1)
def _worlds(seed: int, schema: int) -> tuple[World, World]:
    """A world and its twin where nothing waits, which may be itself."""
    maker = SpecMaker(f"{seed} {schema}", is_strawberry=schema % 4 != 3, waits=schema // 2 % 2 == 1)
    kind = StrawberryWorld if maker.spec.is_strawberry else PlainWorld
    spec = maker.make()
    world = kind(spec)
    return world, kind(spec.not_waiting()) if spec.waits else world


@lru_cache(maxsize=1)
def _data(seed: int, schema: int, number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    world, twin = _worlds(seed, schema)
    name, is_timed = f"{seed} {schema} {number}", twin is not world
    roots = DataMaker(name, world, is_timed).make()
    return roots, DataMaker(name, twin, is_timed).make() if is_timed else roots


def make_case(seed: int, number: int) -> Case:
    """The case of a number; always the same one."""
    schema = number // CASES_PER_SCHEMA
    world, twin = _worlds(seed, schema)
    roots, twin_roots = _data(seed, schema, number // CASES_PER_DATA)
    for attempt in range(MAX_ATTEMPTS):
        name = f"{seed} {number} document {attempt}"
        document = DocumentMaker(name, world.spec, world.schema).make()
        case = Case(seed, number, world, roots, twin, twin_roots, document, parse(document.text))
        if case.is_valid:
            return case
    raise AssertionError(f"No valid document for case {number} of seed {seed}")
