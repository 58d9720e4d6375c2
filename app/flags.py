"""Commands as people read them.

Flags are shown as flags: Typer writes <bool> behind each, as if it took a value. What is wrong with
an option is said in plain words, and not in those of the library that checks it.
"""

from collections.abc import Callable
from typing import Any

import typer
from pydantic import ValidationError
from typer.core import TyperCommand, TyperGroup

from app.wording import plainly


class PlainCommand(TyperCommand):
    """A command that shows its flags as flags, and says in plain words what is wrong."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read its options; raises `BadParameter`."""
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            if isinstance(error.__cause__, ValidationError):
                error.message = plainly(error.__cause__.errors()[0])
            raise

    def get_params(self, ctx: Any) -> Any:
        """Its options and arguments, those that are flags without a type."""
        return _without_types(super().get_params(ctx))


class PlainGroup(TyperGroup):
    """The same for a group of commands."""

    def get_params(self, ctx: Any) -> Any:
        """Its options, those that are flags without a type."""
        return _without_types(super().get_params(ctx))


class Commands(typer.Typer):
    """Commands, each of which shows its flags as flags."""

    def __init__(self, **more: Any) -> None:
        super().__init__(cls=PlainGroup, **more)

    def command(self, name: str | None = None, **more: Any) -> Callable[[Any], Any]:
        """Register a command, as Typer does."""
        return super().command(name, cls=PlainCommand, **more)


def _without_types(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    return parameters
