"""A schema to try executors on, and how to run it."""

import asyncio
from typing import Any

from graphql import GraphQLSchema, execute, parse

from tests.executor.core_facts import Kind, schema, settled

TREE = schema(
    """
    interface Thing { a: String }
    type Node implements Thing {
      a(n: Int): String b: String sure: String!
      node: Node nodes: [Node] thing: Thing things: [Thing]
    }
    type Query {
      a(n: Int): String b: String sure: String!
      node: Node nodes: [Node] thing: Thing things: [Thing]
      texts: [String]
    }
    type Subscription { a: String node: Node }
    type Mutation { a(n: Int): String b: String sure: String! node: Node }
    """
)
LONGEST_SECONDS = 5


async def answer_of(
    document: str, root: Any, executor: Kind, built: GraphQLSchema = TREE, **options: Any
) -> Any:
    """Data and errors of a run that has an end."""
    running = execute(built, parse(document), root, executor_class=executor, **options)
    async with asyncio.timeout(LONGEST_SECONDS):
        return await settled(running)


async def turns(number: int) -> None:
    """Let everybody else go on for some turns of the loop."""
    for _ in range(number):
        await asyncio.sleep(0)
