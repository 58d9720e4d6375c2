"""What a run does: its fields level by level, and how each of them is resolved.

A `Recording` is kept beside a run that is otherwise like any other. Whatever a field's functions
call can tell by `current_step` which field they run for.
"""

from collections.abc import Collection, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING, Any

from app.executor.leaves import Values
from app.executor.plan import PlannedField, Shape
from app.executor.resolve import start
from app.executor.rows import Rows

if TYPE_CHECKING:
    from app.executor import BreadthFirstExecutor


class Way(StrEnum):
    """How a field's values are found."""

    ATTRIBUTE = "attribute"
    BATCHED = "batched"
    FUNCTION = "function"
    TYPENAME = "__typename"


@dataclass(eq=False)
class Step:
    """One field at one place of the operation, resolved for all its objects at once.

    `path` is its place without list indexes. `objects` of `type_name` have the field; it gave them
    `given` values of the type `gives`, and `failed` errors instead.
    """

    path: tuple[str, ...]
    type_name: str
    field_name: str
    way: Way
    objects: int
    gives: str
    is_leaf: bool
    given: int = 0
    failed: int = 0

    @property
    def level(self) -> int:
        """Which level it is on; the operation's own fields are on the first."""
        return len(self.path)

    @property
    def data(self) -> dict[str, Any]:
        """The same for JSON."""
        return {
            "path": self.path,
            "type": self.type_name,
            "field": self.field_name,
            "resolved": self.way.value,
            "objects": self.objects,
            "gives": self.gives,
            "given": self.given,
            "errors": self.failed,
        }

    def count(self, values: Iterable[Any], shape: Shape) -> None:
        """Note what the field gave, items of lists one by one."""
        for value in values:
            if isinstance(value, Exception):
                self.failed += 1
            elif shape.item is not None and isinstance(value, Collection):
                self.count(value, shape.item)
            elif value is not None:
                self.given += 1


_CURRENT: ContextVar[Step | None] = ContextVar("current", default=None)


def current_step() -> Step | None:
    """The step whose field is being resolved; None where it is none's in particular."""
    return _CURRENT.get()


class Recording:
    """The steps of one run, in their order."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    @property
    def levels(self) -> list[list[Step]]:
        """The steps of each level."""
        return [list(level) for _, level in groupby(self.steps, key=lambda step: step.level)]

    @property
    def objects(self) -> int:
        """How many objects the fields gave."""
        return sum(step.given for step in self.steps if not step.is_leaf)

    def executor(self, base: type["BreadthFirstExecutor"]) -> type["BreadthFirstExecutor"]:
        """The executor that does what `base` does, and has it recorded here."""
        recording = self

        class Explaining(base):  # type: ignore[valid-type, misc]
            def start(
                self, rows: Rows, field: PlannedField
            ) -> Values | Coroutine[Any, Any, Values]:
                return recording.start(self, rows, field)

        return Explaining

    def start(
        self, run: "BreadthFirstExecutor", rows: Rows, planned: PlannedField
    ) -> Values | Coroutine[Any, Any, Values]:
        """Start a field as a run does, and note it."""
        step = _step(rows, planned)
        self.steps.append(step)
        with _within(step):
            values = start(run, rows, planned)
        if not isinstance(values, list):
            return _finished(step, planned.shape, values)
        step.count(values, planned.shape)
        return values


def _step(rows: Rows, planned: PlannedField) -> Step:
    return Step(
        path=tuple(map(str, planned.place.as_list())),
        type_name=rows.scope.type.name,
        field_name=planned.field_name,
        way=_way(planned),
        objects=len(rows.sources),
        gives=planned.shape.innermost.name,
        is_leaf=planned.shape.is_leaf,
    )


def _way(planned: PlannedField) -> Way:
    if planned.is_typename:
        return Way.TYPENAME
    if planned.batch is not None:
        return Way.BATCHED
    is_attribute = planned.read is not None or planned.is_default
    return Way.ATTRIBUTE if is_attribute else Way.FUNCTION


@contextmanager
def _within(step: Step) -> Iterator[None]:
    """Whatever is run meanwhile, in tasks begun meanwhile too, is of this step."""
    token = _CURRENT.set(step)
    try:
        yield
    finally:
        _CURRENT.reset(token)


async def _finished(step: Step, shape: Shape, waited_for: Coroutine[Any, Any, Values]) -> Values:
    with _within(step):
        values = await waited_for
    step.count(values, shape)
    return values
