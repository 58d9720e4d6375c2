"""Batched fields: one function gets all parents of a level and returns their values, in order.

Under graphql-core's own executor a batched field runs through one aiodataloader per place in the
operation. A plain function is called at once, since it has nothing to wait for.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import strawberry
from aiodataloader import DataLoader
from graphql.pyutils import Path
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from resolvers.context import Info

Parents = strawberry.Parent[Sequence[Any]]
PARENTS = "parents"
NEEDS = "needs"


class BatchedField(StrawberryField):
    """A field whose resolver takes all parents, and the field's arguments, at once."""

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """The value for one parent, from a batch with the others of its level."""
        assert self.base_resolver is not None
        if not self.base_resolver.is_async:
            return self.call(info, [source], kwargs)[0]
        return self._loader(info, kwargs).load(source)

    def call(self, info: Info, parents: list[Any], arguments: dict[str, Any]) -> Any:
        """The values for the parents, in their order, or the coroutine that gives them."""
        assert self.base_resolver is not None
        if self.base_resolver.is_async:
            info.context.spend(len(parents))
        batch: Callable[..., Any] = self.base_resolver.wrapped_func  # type: ignore[assignment]
        return batch(**{**arguments, PARENTS: parents})

    def _loader(self, info: Info, arguments: dict[str, Any]) -> DataLoader[Any, Any]:
        loaders = info.context.loaders
        place = _place(info.path)
        loader = loaders.get(place)
        if loader is None:

            async def load(parents: list[Any]) -> Any:
                return await self.call(info, parents, arguments)

            loader = loaders[place] = DataLoader(load, cache=False, get_cache_key=id)
        return loader


def batched(
    resolver: Callable[..., Any],
    description: str,
    needs: Iterable[str] = (),
) -> Any:
    """A field that `resolver(parents, info, ...)` fills for all parents at once.

    `needs` names the columns that it reads of the parents' rows. A value that is an exception
    becomes the error of its parent's field.
    """
    return BatchedField(
        base_resolver=StrawberryResolver(resolver),
        description=description,
        metadata={NEEDS: tuple(needs)},
    )


def _place(path: Path | None) -> tuple[Any, ...]:
    """Where in the operation a field stands: its response path without the places in lists."""
    found = []
    while path is not None:
        if isinstance(path.key, str):
            found.append((path.typename, path.key))
        path = path.prev
    return tuple(found)
