"""Lists: the resolvers of a noun's connections, at the root and on other nouns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import Parameter, Signature, signature
from typing import Any

from models.listing import Link, ListSpec
from resolvers.audiences import shows_type
from resolvers.batching import Parents
from resolvers.context import Info
from resolvers.pagination import (
    After,
    Before,
    Filtered,
    First,
    Last,
    ListRequest,
    Page,
    PageArguments,
    fetch_page,
    fetch_pages,
    list_request,
)

RELAY = {"first": First, "after": After, "last": Last, "before": Before}


@dataclass(frozen=True)
class Listing:
    """How a noun is listed: which rows, and by which arguments beside those of Relay.

    `filter` and `order` are the types of `filter` and `orderBy`; without, a list does not take
    them. `filtered` says what a filter asks. In the place of a list of what is for staff alone,
    account users get null.
    """

    spec: ListSpec
    type_name: str
    filter: Any = None
    filtered: Callable[[Info, Any], Filtered] | None = None
    order: Any = None

    def at_root(self, name: str) -> Callable[..., Any]:
        """The resolver of a list that hangs on nothing; `name` is the list's in its cursors."""

        async def resolve(info: Info, **given: Any) -> Page:
            return await fetch_page(self._request(info, name, given))

        return self._spelt_out(resolve)

    def of_each(self, name: str, link: Link) -> Callable[..., Any]:
        """The resolver of the lists that hang on the parents by `link`."""

        async def resolve(parents: Parents, info: Info, **given: Any) -> Sequence[Page | None]:
            if not shows_type(info, self.type_name):
                return [None for _ in parents]
            return await fetch_pages(self._request(info, name, given, link), parents)

        return self._spelt_out(resolve)

    def _request(
        self, info: Info, name: str, given: dict[str, Any], link: Link | None = None
    ) -> ListRequest:
        page = PageArguments(**{argument: given.get(argument) for argument in RELAY})
        asked, filtered = given.get("filter"), Filtered()
        if self.filtered is not None and asked is not None:
            filtered = self.filtered(info, asked)
        order_by = given.get("order_by")
        return list_request(info, self.spec, self.type_name, name, page, filtered, order_by, link)

    def _spelt_out(self, resolve: Callable[..., Any]) -> Callable[..., Any]:
        """The resolver with `**given` spelt out in its signature, where Strawberry looks."""
        own = {"filter": self.filter, "order_by": self.order}
        arguments = {name: kind for name, kind in own.items() if kind is not None} | RELAY
        parameters = [
            parameter
            for parameter in signature(resolve).parameters.values()
            if parameter.kind is not Parameter.VAR_KEYWORD
        ]
        parameters += [
            Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=kind)
            for name, kind in arguments.items()
        ]
        resolve.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        return resolve
