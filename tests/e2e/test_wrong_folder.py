"""Commands where no store is: those that show make none, and say where they looked."""

import pytest

from tests.e2e.process import ROOT, Recourse

QUERY = ROOT / "examples/why.graphql"


@pytest.mark.parametrize(
    "command",
    [
        ("verify",),
        ("token", "--role", "admin"),
        ("token", "--role", "account_user", "--account", "acct_demo_000000"),
        ("explain", str(QUERY)),
    ],
    ids=lambda command: " ".join(command[:3]),
)
def test_what_only_shows_makes_no_store(fresh: Recourse, command: tuple[str, ...]) -> None:
    done = fresh.run(*command)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: There is no store in {fresh.data_dir}. ")
    assert "RECOURSE_DATA_DIR" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(fresh.folder.iterdir()) == []


def test_the_folder_is_named_whole(fresh: Recourse) -> None:
    bare = Recourse(fresh.folder, {})
    assert f"There is no store in {fresh.folder / '.recourse'}. " in bare.run("verify").stderr
    shown = bare.run("doctor").stdout
    assert f"RECOURSE_DATA_DIR = {fresh.folder / '.recourse'}  [default]\n" in shown
    assert list(fresh.folder.iterdir()) == []


def test_the_doctor_shows_the_settings_and_that_there_is_no_store(fresh: Recourse) -> None:
    done = fresh.run("doctor")
    assert done.returncode == 1
    assert "RECOURSE_PORT = 8000  [default]\n" in done.stdout
    assert f"NOT OK: There is no store in {fresh.data_dir}. " in done.stdout
    assert list(fresh.folder.iterdir()) == []


def test_a_file_that_is_not_there_is_seen_before_anything_is_made(fresh: Recourse) -> None:
    done = fresh.run("import", "stripe", "nofile.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: nofile.json can't be read: No such file or directory.\n"
    assert list(fresh.folder.iterdir()) == []


@pytest.mark.parametrize("host", ["nowhere.invalid", "192.0.2.1"])
def test_a_host_that_is_not_ours_is_seen_before_anything_is_made(
    fresh: Recourse, host: str
) -> None:
    done = fresh.run("serve", "--host", host, "--port", "0")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: Can't listen on {host}, port 0: ")
    assert done.stderr.endswith(" Choose another with --host.\n")
    assert list(fresh.folder.iterdir()) == []
