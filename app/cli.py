"""The command line: `recourse`."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app import explaining, schema_file
from app.database import DatabaseUrlInvalid
from app.doctor import examine
from app.embedded import EmbeddedPostgresError
from app.importing import ImportUnreadable, import_stripe
from app.seeding import SeedingFailed, analyze, seed
from app.server import serve as run_server
from app.settings import Settings, source_of
from app.store import Store, StoreUnusable, open_store
from app.tokens import account_named, signer_for
from models.actor import Role, system
from models.clock import SystemClock
from models.errors import RecourseError
from models.ids import platform_id_for
from models.platform import ensure_platform
from models.verify import Finding
from models.verify import verify as run_verify

DEFAULT_PLATFORM = "demo"
KNOWN_ERRORS = (
    DatabaseUrlInvalid,
    EmbeddedPostgresError,
    explaining.ExplainRefused,
    ImportUnreadable,
    RecourseError,
    SeedingFailed,
    StoreUnusable,
)
T = TypeVar("T")

cli = typer.Typer(
    help="A GraphQL gateway over accounts, what they are asked for, and the recourse they have.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
importer = typer.Typer(help="Bring in data from elsewhere.", no_args_is_help=True)
cli.add_typer(importer, name="import")
# What a person reads goes to standard error, what a program reads to standard output.
console = Console(stderr=True)
# How to print what others wrote: as it is, a line for each.
PLAIN: dict[str, Any] = {"markup": False, "highlight": False, "soft_wrap": True}

PlatformOption = Annotated[str, typer.Option(help="The platform's slug.")]
AccountOption = Annotated[
    str | None,
    typer.Option(help="For account users: the account, by its global or external id."),
]


class TokenRole(StrEnum):
    """The roles that a development token may have."""

    ACCOUNT_USER = "account_user"
    REVIEWER = "reviewer"
    INTEGRATOR = "integrator"
    ADMIN = "admin"


def main() -> None:
    """The entry point: errors that a person can mend are one line and exit code 1."""
    try:
        cli()
    except KNOWN_ERRORS as error:
        _complain(str(error))
        sys.exit(1)
    except ValidationError as error:
        for problem in error.errors():
            name = f"RECOURSE_{'_'.join(map(str, problem['loc'])).upper()}"
            _complain(f"{name}: {problem['msg']}")
        sys.exit(1)


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port; 0 takes a free one.")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where the embedded PostgreSQL lives.")
    ] = None,
) -> None:
    """Start the store, migrate it, load demo data where it is empty, and serve."""
    given = {"host": host, "port": port, "data_dir": data_dir}
    settings = Settings(**{k: v for k, v in given.items() if v is not None})  # type: ignore[arg-type]
    run_server(settings, DEFAULT_PLATFORM, signer_for(settings))


@cli.command()
def migrate() -> None:
    """Bring the database to the present schema."""

    async def work(store: Store, _: Settings) -> None:
        await store.migrate()

    _with_store(work, migrated=False)
    console.print("The schema is up to date.")


@cli.command("seed")
def seed_command(
    accounts: Annotated[int, typer.Option(min=1, help="How many accounts there are to be.")] = 200,
    requirements: Annotated[
        int, typer.Option(min=1, max=50, help="How many requirements each has.")
    ] = 5,
    platform: PlatformOption = DEFAULT_PLATFORM,
) -> None:
    """Make realistic demo accounts in every state, the same ones each time."""

    async def work(store: Store, _: Settings) -> int:
        with _bar() as bar:
            task = bar.add_task("accounts", total=accounts)
            new = await seed(
                store.url,
                platform,
                SystemClock(),
                accounts,
                requirements,
                lambda done, total: bar.update(task, completed=done, total=total),
            )
        if new > 0:
            await analyze(store.url)
        return new

    console.print(f"{_with_store(work)} accounts are new.")


@importer.command("stripe")
def import_stripe_command(
    file: Annotated[Path, typer.Argument(help="Stripe v1 account objects: JSON or JSON lines.")],
    platform: PlatformOption = DEFAULT_PLATFORM,
) -> None:
    """Make accounts, capabilities and requirements of Stripe's account objects."""

    async def work(store: Store, _: Settings) -> bool:
        with _bar() as bar:
            task = bar.add_task("accounts", total=None)
            summary = await import_stripe(
                store.database,
                SystemClock(),
                platform,
                file,
                lambda done: bar.update(task, completed=done),
            )
        if summary.created > 0:
            await analyze(store.url)
        for skipped in summary.skipped:
            console.print(f"{skipped.place}: skipped: {skipped.reason}", **PLAIN)
        console.print(
            f"{summary.created} created, {summary.updated} updated, "
            f"{summary.unchanged} unchanged, {summary.skipped_count} skipped"
        )
        return not summary.skipped

    if not _with_store(work):
        raise typer.Exit(1)


@cli.command()
def token(
    role: Annotated[TokenRole, typer.Option(help="The role.", case_sensitive=False)],
    platform: PlatformOption = DEFAULT_PLATFORM,
    account: AccountOption = None,
    subject: Annotated[str | None, typer.Option(help="Who the token is for.")] = None,
) -> None:
    """Print a development token, and nothing else; makes the platform if it is not there."""
    _check_account(role, account)
    account_id = None if account is None else account_named(platform, account)

    async def work(store: Store, settings: Settings) -> str:
        actor = system(platform_id_for(platform))
        async with store.database.session_for(actor) as session:
            await ensure_platform(session, SystemClock(), platform)
        signer = signer_for(settings)
        return signer.sign(Role(role.upper()), platform, subject or f"dev-{role}", account_id)

    print(_with_store(work))


@cli.command()
def explain(
    file: Annotated[str, typer.Argument(help="The GraphQL document; - is standard input.")],
    variables: Annotated[str | None, typer.Option(help="The variables: JSON, or @FILE.")] = None,
    operation: Annotated[str | None, typer.Option(help="Which operation of several.")] = None,
    role: Annotated[
        TokenRole, typer.Option(help="The role of who asks.", case_sensitive=False)
    ] = TokenRole.REVIEWER,
    platform: PlatformOption = DEFAULT_PLATFORM,
    account: AccountOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    full_sql: Annotated[bool, typer.Option("--sql", help="Print all of each statement.")] = False,
) -> None:
    """Run a query, and show how: its levels, its fields, its SQL and what that costs."""
    _check_account(role, account)
    actor = explaining.caller(Role(role.upper()), platform, account)
    question = explaining.read_question(file, variables, operation, Settings())

    async def work(store: Store, settings: Settings) -> explaining.Explanation:
        return await explaining.explain(store, settings, SystemClock(), actor, question)

    found = _with_store(work, migrated=False)
    if as_json:
        print(explaining.as_json(found).decode())
    else:
        explaining.show(found, Console(), full_sql)
    for error in found.errors:
        _complain(error)
    if found.errors:
        raise typer.Exit(1)


@cli.command()
def verify() -> None:
    """Check every account's hash chain and derived status; exit code 1 where anything differs."""

    async def work(store: Store, _: Settings) -> int:
        with _bar() as bar:
            task = bar.add_task("accounts", total=None)
            counts = await run_verify(
                store.database.worker,
                _print_finding,
                lambda now: bar.update(task, completed=now.accounts, total=now.total),
            )
        console.print(
            f"{counts.accounts} accounts and {counts.events} events checked, "
            f"{counts.findings} differences"
        )
        return counts.findings

    if _with_store(work):
        raise typer.Exit(1)


@cli.command()
def schema(
    check: Annotated[
        bool,
        typer.Option("--check", help="Change nothing; fail on a difference or a breaking change."),
    ] = False,
    file: Annotated[Path, typer.Option(help="The file.")] = Path("schema.graphql"),
) -> None:
    """Write the schema to a file, or check that the file says what the code does."""
    problems = schema_file.check(file) if check else schema_file.write(file)
    for problem in problems:
        console.print(problem, **PLAIN)
    if problems:
        raise typer.Exit(1)


@cli.command()
def doctor() -> None:
    """Show every setting with where it came from, and whether the store is well."""
    settings = Settings()
    for name in Settings.model_fields:
        print(f"RECOURSE_{name.upper()} = {getattr(settings, name)}  [{source_of(name)}]")

    async def work(store: Store, _: Settings) -> bool:
        well = True
        for finding in await examine(store):
            well = well and finding.well
            mark = "ok" if finding.well else "NOT OK"
            print(f"{mark}: {finding.what}")
        return well

    if not _with_store(work, migrated=False):
        raise typer.Exit(1)


def _check_account(role: TokenRole, account: str | None) -> None:
    if (role is TokenRole.ACCOUNT_USER) != (account is not None):
        raise typer.BadParameter("--account goes with --role account_user, and only with it.")


def _complain(message: str) -> None:
    console.print(f"[red]error:[/red] {escape(message)}", highlight=False, soft_wrap=True)


def _print_finding(finding: Finding) -> None:
    print(f"{finding.account_id} {finding.kind} {finding.place}: {finding.message}")


def _with_store(work: Callable[[Store, Settings], Awaitable[T]], migrated: bool = True) -> T:
    """Run `work` on the store of the settings, which is migrated first unless told not to."""

    async def run() -> T:
        settings = Settings()
        async with open_store(settings) as store:
            if migrated:
                await store.migrate()
            return await work(store, settings)

    coroutine: Coroutine[Any, Any, T] = run()
    return asyncio.run(coroutine)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    )
