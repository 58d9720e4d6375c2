"""Programs of Node's beside the tests, with what they need installed once from its lock file."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.process import ROOT

FOLDER = ROOT / "tests/e2e/node"
INSTALL_LIMIT_SECONDS = 300
RUN_LIMIT_SECONDS = 120

needs_node = pytest.mark.skipif(
    shutil.which("node") is None or shutil.which("npm") is None,
    reason="Node.js with npm is not installed",
)


def install() -> None:
    """Install what the lock file names, unless it is there; other test processes wait."""
    stamp = FOLDER / "node_modules/.recourse-stamp"
    wanted = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    with (FOLDER / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        _npm(FOLDER, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        stamp.write_text(wanted)


def _npm(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        ["npm", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=INSTALL_LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def run(program: str, *arguments: str) -> Any:
    """What a program prints, as JSON."""
    install()
    done = subprocess.run(
        ["node", program, *arguments],
        cwd=FOLDER,
        env={**os.environ, "NODE_NO_WARNINGS": "1"},
        capture_output=True,
        text=True,
        timeout=RUN_LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
