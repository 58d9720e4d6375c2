"""GraphQL over HTTP: the public audits of the specification, against a running server."""

from collections import Counter

from tests.e2e import node_programs
from tests.e2e.process import Serving

# How many of them there are: none gets lost unnoticed.
AUDITS = {"MUST": 13, "SHOULD": 23, "MAY": 25}


@node_programs.needs_node
def test_all_audits_of_the_specification_pass(server: Serving) -> None:
    results = node_programs.run("audit.mjs", server.url, server.token("admin"))
    assert Counter(each["name"].split()[0] for each in results) == AUDITS
    assert [each for each in results if each["status"] != "ok"] == []
