"""The script that a person begins with."""

import pytest

from tests.e2e.process import ROOT, Recourse

SCRIPT = ROOT / "scripts/serve"


@pytest.mark.skipif(
    not (ROOT / ".venv/recourse-setup").exists(), reason="nothing is set up in this folder"
)
def test_it_serves_from_anywhere_with_the_options_of_serve(recourse: Recourse) -> None:
    before = set(recourse.folder.iterdir())
    bare = Recourse(recourse.folder, {}, servers=recourse.servers)
    server = bare.launch("--data-dir", str(recourse.data_dir), command=[str(SCRIPT)]).ready()
    assert server.ask("admin", "{ accounts(first: 1) { totalCount } }")["accounts"]["totalCount"]
    # The script has become the server: what ends it ends the server.
    assert server.terminate() == 0
    assert recourse.postgres.processes() == []
    made = {path.name for path in set(recourse.folder.iterdir()) - before}
    assert made == {"serve-0.out", "serve-0.err"}
