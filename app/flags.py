"""Flags in `--help`: shown as flags. Typer writes <bool> behind each, as if it took a value."""

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


class PlainCommand(TyperCommand):
    """A command that shows its flags as flags."""

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
