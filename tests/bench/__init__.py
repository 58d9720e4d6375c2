"""Benchmarks: Recourse against others that answer with the same JSON, in one run on one machine.

`scripts/bench` runs them. Over HTTP, on one PostgreSQL and the same data, five servers answer three
queries of a dashboard and a mix of mutations, in turn:

- `recourse`: `recourse serve`;
- `graphql-core`: the same under graphql-core's own executor;
- `plain`: a Strawberry application as tutorials show it, with the ORM and dataloaders;
- `kept`: written by hand on Starlette, asyncpg and orjson, keeping Recourse's promises: a caller
  known by token, one snapshot, row-level security;
- `bare`: the same without them.

Requests come from a process of their own. What counts is the CPU time that the server's process
takes for a request; requests per second also depend on what else the machine's processors do: there
the requests are made, and PostgreSQL runs. The mutations of the last three have the same effect
that is seen, and leave out the domain's rules, so that they are no limit for Recourse's.

In process, the two executors run the same document over the same objects in memory (`alone.py`).

It says nothing about many servers, about networks, or about data that does not fit into memory.
"""
