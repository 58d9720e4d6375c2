"""Batched fields: one function gets all parents of a level and returns their values, in order.

Under graphql-core's own executor a batched field runs through one aiodataloader per place in the
operation. A plain function is called at once, since it has nothing to wait for.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import cached_property
from inspect import isawaitable
from typing import Any

import strawberry
from aiodataloader import DataLoader
from graphql.pyutils import Path
from strawberry.types.base import StrawberryList
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from resolvers.context import Info

Parents = strawberry.Parent[Sequence[Any]]
PARENTS = "parents"
NEEDS = "needs"
MAY_WAIT = "may_wait"


class BatchedField(StrawberryField):
    """A field whose resolver takes all parents, and the field's arguments, at once."""

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """The value for one parent, from a batch with the others of its level."""
        if not self.waits:
            return self.call(info, [source], kwargs)[0]
        return self._loader(info, kwargs).load(source)

    @property
    def waits(self) -> bool:
        """Whether the function may have to wait for something."""
        assert self.base_resolver is not None
        return self.base_resolver.is_async or bool(self.metadata.get(MAY_WAIT))

    @cached_property
    def gives_lists(self) -> bool:
        """Whether the value for a parent is a list, rather than a page of one."""
        return isinstance(self.type, StrawberryList)

    def call(self, info: Info, parents: list[Any], arguments: dict[str, Any]) -> Any:
        """The values for the parents, in their order, or the coroutine that gives them.

        What loads counts: one for each parent, and one for each object in the lists that it gives.
        """
        assert self.base_resolver is not None
        batch: Callable[..., Any] = self.base_resolver.wrapped_func  # type: ignore[assignment]
        if not self.waits:
            return batch(**{**arguments, PARENTS: parents})
        info.context.spend(len(parents))
        values = batch(**{**arguments, PARENTS: parents})
        return _counted(info, values) if self.gives_lists and isawaitable(values) else values

    def _loader(self, info: Info, arguments: dict[str, Any]) -> DataLoader[Any, Any]:
        loaders = info.context.loaders
        place = place_of(info.path)
        loader = loaders.get(place)
        if loader is None:

            async def load(parents: list[Any]) -> Any:
                values = self.call(info, parents, arguments)
                return await values if isawaitable(values) else values

            loader = loaders[place] = DataLoader(load, cache=False, get_cache_key=id)
        return loader


def batched(
    resolver: Callable[..., Any],
    description: str,
    needs: Iterable[str] = (),
    may_wait: bool = False,
) -> Any:
    """A field that `resolver(parents, info, ...)` fills for all parents at once.

    It returns a list or tuple with one value per parent, in their order; anything else is an
    error for each of them. `needs` names the columns that it reads of the parents' rows. A value
    that is an exception becomes the error of its parent's field. With `may_wait`, the function is
    no coroutine function, but may give a coroutine instead of the values: where that is rare, the
    rest costs less.
    """
    return BatchedField(
        base_resolver=StrawberryResolver(resolver),
        description=description,
        metadata={NEEDS: tuple(needs), MAY_WAIT: may_wait},
    )


async def _counted(info: Info, values: Awaitable[Any]) -> Any:
    lists = await values
    if isinstance(lists, (list, tuple)):
        info.context.spend(sum(len(value) for value in lists if isinstance(value, list)))
    return lists


def themselves(parents: Parents) -> list[Any]:
    """The parents, for a field that shows a part of its own parent's row."""
    return list(parents)


def place_of(path: Path | None) -> tuple[Any, ...]:
    """Where in the operation a field stands: its path without list indexes, the field first."""
    found = []
    while path is not None:
        if isinstance(path.key, str):
            found.append((path.typename, path.key))
        path = path.prev
    return tuple(found)
