"""Mutations: one root field after the other, and what a failed one leaves to the next."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from tests.executor.core_facts import Fact, Info, Problem, schema


@dataclass
class Counter:
    """What the mutations of one run change, and what happened in which order."""

    number: int = 0
    log: list[str] = field(default_factory=list)


@dataclass
class Held:
    """What a mutation answers: it shows the counter as it is when it is read."""

    counter: Counter
    at: int

    def number(self, _: Info) -> int:
        return self.counter.number

    async def slowNumber(self, _: Info) -> int:  # noqa: N802 - as the field is named
        await asyncio.sleep(0)
        return self.counter.number

    def fails(self, _: Info) -> str:
        raise ValueError(f"Boom at {self.counter.number}")


def add(counter: Counter, _: Info, by: int = 1) -> Held:
    counter.number += by
    counter.log.append(f"add {by}")
    return Held(counter, counter.number)


async def slow_add(counter: Counter, _: Info, by: int = 1, turns: int = 3) -> Held:
    before = counter.number
    counter.log.append(f"begin {by}")
    for _turn in range(turns):
        await asyncio.sleep(0)
    counter.number = before + by
    counter.log.append(f"end {by}")
    return Held(counter, counter.number)


def fail(counter: Counter, _: Info) -> Held:
    counter.log.append("fail")
    raise ValueError("Boom")


async def slow_fail(counter: Counter, _: Info) -> Held:
    counter.log.append("begin to fail")
    await asyncio.sleep(0)
    counter.log.append("fail")
    raise ValueError("Boom")


def read_log(counter: Counter, _: Info) -> list[str]:
    return list(counter.log)


HOLDS = "number: Int sureNumber: Int! slowNumber: Int at: Int fails: String sureFails: String!"
SCHEMA = schema(
    f"""
    type Query {{ number: Int add(by: Int): Held slowAdd(by: Int, turns: Int): Held log: [String] }}
    type Held {{ {HOLDS} }}
    type Mutation {{
      add(by: Int): Held sureAdd(by: Int): Held! slowAdd(by: Int, turns: Int): Held
      fail: Held sureFail: Held! slowFail: Held sureSlowFail: Held! log: [String]
    }}
    """,
    {
        "Query.add": add,
        "Query.slowAdd": slow_add,
        "Query.log": read_log,
        "Mutation.add": add,
        "Mutation.sureAdd": add,
        "Mutation.slowAdd": slow_add,
        "Mutation.fail": fail,
        "Mutation.sureFail": fail,
        "Mutation.slowFail": slow_fail,
        "Mutation.sureSlowFail": slow_fail,
        "Mutation.log": read_log,
        "Held.sureFails": Held.fails,
    },
)


def row(
    name: str, document: str, data: Any, *errors: Problem, waits: bool = False, **more: Any
) -> Fact:
    """A fact on a counter that starts at nought."""
    return Fact(name, SCHEMA, document, data, errors, make_root=Counter, waits=waits, **more)


SERIAL = (
    row(
        "each mutation sees what the one before has done",
        "mutation { a: add { number at } b: add(by: 5) { number at } c: add { number } }",
        {"a": {"number": 1, "at": 1}, "b": {"number": 6, "at": 6}, "c": {"number": 7}},
    ),
    row(
        "a mutation is through with its selections before the next begins",
        "mutation { a: slowAdd { slowNumber } b: slowAdd { slowNumber } c: add { number } }",
        {"a": {"slowNumber": 1}, "b": {"slowNumber": 2}, "c": {"number": 3}},
        waits=True,
    ),
    row(
        "slow and quick mutations keep their order",
        "mutation { a: slowAdd(by: 1, turns: 9) { at } b: add(by: 2) { at }"
        " c: slowAdd(by: 4, turns: 1) { at } log }",
        {
            "a": {"at": 1},
            "b": {"at": 3},
            "c": {"at": 7},
            "log": ["begin 1", "end 1", "add 2", "begin 4", "end 4"],
        },
        waits=True,
    ),
    row(
        "mutations in fragments keep the order of the document",
        "mutation { ...M add(by: 4) { at } log } fragment M on Mutation"
        " { a: slowAdd { at } ... { b: add(by: 2) { at } } }",
        {
            "a": {"at": 1},
            "b": {"at": 3},
            "add": {"at": 7},
            "log": ["begin 1", "end 1", "add 2", "add 4"],
        },
        waits=True,
    ),
    row(
        "a mutation asked twice by one name is done once",
        "mutation { add { at } log add { number } }",
        {"add": {"at": 1, "number": 1}, "log": ["add 1"]},
    ),
    row(
        "a mutation that is skipped is not done",
        "mutation { add @skip(if: true) { at } log }",
        {"log": []},
    ),
    row(
        "the fields of a query run beside each other",
        "{ a: slowAdd(by: 1) { at } b: slowAdd(by: 1) { at } }",
        {"a": {"at": 1}, "b": {"at": 1}},
        waits=True,
    ),
)
FAILING = (
    row(
        "the next mutation is done after one that failed",
        "mutation { add { at } fail { at } b: add { at } log }",
        {"add": {"at": 1}, "fail": None, "b": {"at": 2}, "log": ["add 1", "fail", "add 1"]},
        Problem("Boom", "fail", "1:23"),
    ),
    row(
        "the next mutation is done after one that failed slowly",
        "mutation { slowFail { at } add { at } log }",
        {"slowFail": None, "add": {"at": 1}, "log": ["begin to fail", "fail", "add 1"]},
        Problem("Boom", "slowFail", "1:12"),
        waits=True,
    ),
    row(
        "several mutations fail, each with its error",
        "mutation { fail { at } slowFail { at } again: fail { at } add { at } }",
        {"fail": None, "slowFail": None, "again": None, "add": {"at": 1}},
        Problem("Boom", "fail", "1:12"),
        Problem("Boom", "slowFail", "1:24"),
        Problem("Boom", "again", "1:40"),
        waits=True,
    ),
    row(
        "a mutation that must answer and fails takes all data",
        "mutation { add { at } sureFail { at } b: add { at } }",
        None,
        Problem("Boom", "sureFail", "1:23"),
    ),
    row(
        "a mutation that must answer and fails slowly takes all data",
        "mutation { add { at } sureSlowFail { at } b: add { at } }",
        None,
        Problem("Boom", "sureSlowFail", "1:23"),
        waits=True,
    ),
    row(
        "errors before the one that takes all data stay",
        "mutation { fail { at } sureFail { at } again: fail { at } }",
        None,
        Problem("Boom", "fail", "1:12"),
        Problem("Boom", "sureFail", "1:24"),
    ),
    row(
        "a selection that fails is no failed mutation",
        "mutation { add { at fails } b: add { number } }",
        {"add": {"at": 1, "fails": None}, "b": {"number": 2}},
        Problem("Boom at 1", "add.fails", "1:21"),
    ),
    row(
        "a selection that must be and fails takes its mutation's answer, and the next is done",
        "mutation { add { at sureFails } b: add { number } }",
        {"add": None, "b": {"number": 2}},
        Problem("Boom at 1", "add.sureFails", "1:21"),
    ),
    row(
        "a selection that must be takes all data where the answer must be",
        "mutation { sureAdd { sureFails } b: add { number } }",
        None,
        Problem("Boom at 1", "sureAdd.sureFails", "1:22"),
    ),
    row(
        "an argument that is refused leaves the mutation undone, and the next is done",
        'mutation { add(by: "x") { at } b: add { at } log }',
        {"add": None, "b": {"at": 1}, "log": ["add 1"]},
        Problem(
            "Argument 'by' has invalid value: Int cannot represent non-integer value: \"x\"",
            "add",
            "1:20",
        ),
        unvalidated=True,
    ),
    row(
        "a variable that is refused leaves everything undone",
        "mutation ($by: Int) { add(by: $by) { at } }",
        None,
        Problem(
            "Variable '$by' has invalid value: Int cannot represent non-integer value: 'x'",
            "",
            "1:11",
        ),
        variables={"by": "x"},
    ),
)


MUTATIONS = (*SERIAL, *FAILING)
