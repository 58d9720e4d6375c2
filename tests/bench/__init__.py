"""Benchmarks: Recourse against a hand-written endpoint that answers with the same JSON.

`scripts/bench` runs them. On one PostgreSQL and the same data, `recourse serve` and a handler of
Starlette, asyncpg and orjson answer three queries of a dashboard, in turn, over HTTP on loopback.
The hand-written one comes bare, and keeping Recourse's promises: a caller known by token, one
snapshot, row-level security. Requests come from a process of their own. What counts is the CPU
time that the server's process takes for a request; requests per second also depend on what else
the machine's processors do: there the requests are made, and PostgreSQL runs.

It says nothing about many servers, about networks, or about data that does not fit into memory.
"""
