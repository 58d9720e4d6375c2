"""GraphiQL in a real browser: built from its packages, and nothing asked of anybody else."""

import shutil
import subprocess
from pathlib import Path

import pytest

from app.browser import FILES
from tests.e2e import node_programs
from tests.e2e.process import ROOT, Recourse

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
BUILD_LIMIT_SECONDS = 300

pytestmark = [
    node_programs.needs_node,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed"),
]


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """The page's files, built where they are not."""
    if not (FILES / "index.html").exists():
        script = str(ROOT / "scripts/console")
        subprocess.run([script], check=True, timeout=BUILD_LIMIT_SECONDS)


def test_a_query_that_is_typed_is_answered(recourse: Recourse, tmp_path: Path) -> None:
    assert BROWSER is not None
    with recourse.serving() as server:
        origin = server.url.removesuffix("/graphql")
        seen = node_programs.run(
            "graphiql.mjs", server.url, server.token("admin"), BROWSER, str(tmp_path / "page.png")
        )
    shown = "".join(seen["text"].split())
    assert '"data":{"viewer":{"role":"ADMIN"}}' in shown
    outside = [
        each for each in seen["requests"] if not each.startswith((f"{origin}/", "data:", "blob:"))
    ]
    assert outside == []
    assert f"{origin}/graphql" in seen["requests"]
    assert seen["complaints"] == []
