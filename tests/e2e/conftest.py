"""What the tests from outside share: data directories, and what runs on them ended afterwards."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.process import Postgres, Recourse, Serving

DEMO_ACCOUNTS = 12


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a few demo accounts, to be copied."""
    folder = tmp_path_factory.mktemp("initialised")
    recourse = Recourse(folder, {"data_dir": str(folder / "data")})
    done = recourse.run("seed", "--accounts", str(DEMO_ACCOUNTS))
    assert done.returncode == 0, done.stderr
    return folder / "data"


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Recourse]:
    """Commands on a data directory that does not exist yet."""
    tmp_path.chmod(0o700)
    recourse = Recourse(tmp_path, {"data_dir": str(tmp_path / "data"), "demo_accounts": "5"})
    yield recourse
    recourse.end()


@pytest.fixture
def recourse(fresh: Recourse, initialised: Path) -> Recourse:
    """Commands on a data directory that has been used before."""
    shutil.copytree(initialised, fresh.data_dir)
    return fresh


@pytest.fixture
def server(recourse: Recourse) -> Serving:
    """A server on a data directory that has been used before."""
    return recourse.launch().ready()


@pytest.fixture
def postgres(recourse: Recourse) -> Postgres:
    """The PostgreSQL of the data directory."""
    return recourse.postgres
