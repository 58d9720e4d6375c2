"""What resolvers give back: values of unusual kinds, and how a field gets its own."""

import asyncio
from binascii import crc32
from collections.abc import AsyncIterator, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from graphql.pyutils import Path

from tests.executor.fuzz_spec import Field


class Raise:
    """An exception that is raised where the value would be read."""

    def __init__(self, error: Exception) -> None:
        self.error = error


class Choice:
    """Several values, one of which is picked by the arguments."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values

    def by(self, arguments: Mapping[str, Any]) -> Any:
        """The value for these arguments."""
        return self.values[crc32(repr(sorted(arguments.items())).encode()) % len(self.values)]


class Later:
    """An awaitable that may be awaited many times; it suspends some times before it is there."""

    def __init__(self, value: Any, pauses: int) -> None:
        self.value = value
        self.pauses = pauses

    def __await__(self) -> Generator[Any, None, Any]:
        yield from pause(self.pauses).__await__()
        if isinstance(self.value, Raise):
            raise self.value.error
        return self.value


class Items:
    """An iterable that is no collection, like a generator, but may be walked many times."""

    def __init__(self, values: Sequence[Any], error: Exception | None = None) -> None:
        self.values = values
        self.error = error

    def __iter__(self) -> Iterator[Any]:
        yield from self.values
        if self.error is not None:
            raise self.error


class AsyncItems:
    """The same, to be walked asynchronously."""

    def __init__(self, items: Items) -> None:
        self.items = items

    async def __aiter__(self) -> AsyncIterator[Any]:
        for item in self.items:
            await pause(1)
            yield item


class Generated:
    """A value that a function makes anew for each call: a generator."""

    def __init__(self, items: Items) -> None:
        self.items = items

    def make(self) -> Iterator[Any]:
        """The generator."""
        return iter(self.items)


async def pause(times: int) -> None:
    """Let others go first, so many times."""
    for _ in range(times):
        await asyncio.sleep(0)


class Context:
    """What a run's resolvers share; it remembers their calls."""

    def __init__(self) -> None:
        self.loaders: dict[Any, Any] = {}
        # Of each function: the root field it ran under, when it began, and when it ended.
        self.steps: list[str] = []
        self.calls: list[str] = []
        self.batches: list[str] = []
        self.spent = 0

    def spend(self, objects: int) -> None:
        """Batched fields say how many objects they read."""
        self.spent += objects


def answer(source: Any, field: Field, arguments: Mapping[str, Any]) -> Any:
    """The value of a field that a function fills."""
    answers = source if isinstance(source, dict) else vars(source)["answers"]
    found = answers.get(field.name)
    if isinstance(found, Choice):
        found = found.by(arguments)
    if isinstance(found, Raise):
        raise found.error
    if isinstance(found, Generated):
        return found.make()
    if isinstance(found, Later):
        return Later(_with_arguments(found.value, arguments), found.pauses)
    return _with_arguments(found, arguments)


def _with_arguments(value: Any, arguments: Mapping[str, Any]) -> Any:
    """Strings show which arguments came."""
    return f"{value} of {arguments}" if arguments and isinstance(value, str) else value


def resolve(source: Any, info: Any, field: Field, arguments: Mapping[str, Any]) -> Any:
    """Fill a field of one object at once."""
    with _noted(info, arguments):
        return answer(source, field, arguments)


async def resolve_later(source: Any, info: Any, field: Field, arguments: Mapping[str, Any]) -> Any:
    """Fill a field of one object after a while."""
    with _noted(info, arguments) as pauses:
        await pause(pauses)
        return answer(source, field, arguments)


def resolve_batch(
    parents: Sequence[Any], info: Any, field: Field, arguments: Mapping[str, Any]
) -> list[Any]:
    """Fill a field of many objects at once."""
    with _noted_batch(info):
        return _answers(parents, field, arguments)


async def resolve_batch_later(
    parents: Sequence[Any], info: Any, field: Field, arguments: Mapping[str, Any]
) -> list[Any]:
    """Fill a field of many objects after a while."""
    with _noted_batch(info) as pauses:
        await pause(pauses)
        return _answers(parents, field, arguments)


def note_extension(info: Any) -> None:
    """Remember that a field's extension was called."""
    raw = info._raw_info
    raw.context.calls.append(f"{raw.path.as_list()} extension of {raw.parent_type}")


def _answers(parents: Sequence[Any], field: Field, arguments: Mapping[str, Any]) -> list[Any]:
    if field.broken:
        raise LookupError(f"{field.name} is broken")
    return [_answer_or_error(parent, field, arguments) for parent in parents]


def _answer_or_error(parent: Any, field: Field, arguments: Mapping[str, Any]) -> Any:
    try:
        return answer(parent, field, arguments)
    except Exception as error:
        return error


@contextmanager
def _noted(info: Any, arguments: Mapping[str, Any]) -> Iterator[int]:
    raw = getattr(info, "_raw_info", info)
    keys = raw.path.as_list()
    raw.context.calls.append(
        f"{keys} {raw.parent_type}.{raw.field_name}: {raw.return_type},"
        f" {len(raw.field_nodes)} nodes, {raw.operation.operation.value}, {arguments}"
    )
    with _noted_step(raw, str(keys[0])):
        yield crc32(repr(keys).encode()) % 4


@contextmanager
def _noted_batch(info: Any) -> Iterator[int]:
    raw = getattr(info, "_raw_info", info)
    place = place_of(raw.path)
    raw.context.batches.append(f"{place} {raw.field_name}")
    with _noted_step(raw, str(raw.path.as_list()[0])):
        yield crc32(place.encode()) % 4


@contextmanager
def _noted_step(raw: Any, root_field: str) -> Iterator[None]:
    raw.context.steps.append(root_field)
    yield
    raw.context.steps.append(root_field)


def place_of(path: Path | None) -> str:
    """A response path without the places in lists, but with the types."""
    keys: list[str] = []
    while path is not None:
        if isinstance(path.key, str):
            keys.append(f"{path.typename}.{path.key}")
        path = path.prev
    return " ".join(reversed(keys))
