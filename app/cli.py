"""The command line: `recourse`."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app import explaining, schema_file
from app.api_key_commands import api_key
from app.callers import CallerUnknown, caller, check_account, has_platform
from app.database import DatabaseUrlInvalid
from app.doctor import examine, shown
from app.embedded import EmbeddedPostgresError
from app.flags import Commands
from app.importing import ImportUnreadable, check_readable, import_stripe
from app.on_store import Need, on_store, with_store
from app.options import (
    AccountOption,
    PlatformOption,
    RoleOption,
    SubjectOption,
    TokenRole,
    VersionOption,
    check_account_goes_with,
)
from app.persisted import ManifestWrong
from app.seeding import SeedingFailed, analyze, seed
from app.server import serve as run_server
from app.settings import (
    MAX_DEMO_ACCOUNTS,
    Settings,
    SettingsWrong,
    look_at_settings,
    read_settings,
    source_of,
    variable,
)
from app.store import Store, StoreUnusable
from app.tokens import DevelopmentTokensRefused, SecretMissing, known_signer_for
from models.actor import Actor, Role, system
from models.clock import SystemClock
from models.errors import RecourseError
from models.platform import ensure_platform
from models.verify import Finding
from models.verify import verify as run_verify

DEFAULT_PLATFORM = "demo"
MAX_REQUIREMENTS = 50
KNOWN_ERRORS = (
    CallerUnknown,
    DatabaseUrlInvalid,
    DevelopmentTokensRefused,
    EmbeddedPostgresError,
    explaining.ExplainRefused,
    ImportUnreadable,
    ManifestWrong,
    RecourseError,
    SecretMissing,
    SeedingFailed,
    StoreUnusable,
)

cli = Commands(
    help="A payments platform asks businesses for information, and restricts them when an issue "
    "stays open. Recourse is the API of that flow.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
importer = Commands(help="Bring in data from elsewhere.", no_args_is_help=True)
cli.add_typer(importer, name="import")
cli.add_typer(api_key, name="api-key")
# What a person reads goes to standard error, what a program reads to standard output.
console = Console(stderr=True)
# How to print what others wrote: as it is, a line for each.
PLAIN: dict[str, Any] = {"markup": False, "highlight": False, "soft_wrap": True}


def main() -> None:
    """The entry point: errors that a person can mend are one line and exit code 1."""
    try:
        cli()
    except KNOWN_ERRORS as error:
        _complain(str(error))
        sys.exit(1)
    except SettingsWrong as error:
        for problem in error.problems:
            _complain(problem)
        console.print("`recourse doctor` shows all settings.", **PLAIN)
        sys.exit(1)


@cli.callback()
def _about(_: VersionOption = False) -> None:
    """Stands before every command."""


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="The port; 0 takes a free one.")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where the embedded PostgreSQL lives.")
    ] = None,
    tokens: Annotated[
        bool | None,
        typer.Option(
            "--tokens/--no-tokens",
            help="Print a development token of each role; by default not for a database that "
            "RECOURSE_DATABASE_URL names.",
        ),
    ] = None,
) -> None:
    """Start the store, migrate it, load demo data where it is empty, and serve."""
    given = {"host": host, "port": port, "data_dir": data_dir}
    settings = read_settings(**{k: v for k, v in given.items() if v is not None})
    takes_own = settings.takes_development_tokens and settings.database_url is None
    shows_tokens = takes_own if tokens is None else tokens
    run_server(settings, DEFAULT_PLATFORM, shows_tokens)


@cli.command()
def migrate() -> None:
    """Bring the database to the present schema."""

    async def work(_store: Store, _: Settings) -> None:
        return None

    with_store(work, Need.MADE)
    console.print("The schema is up to date.")


@cli.command("seed")
def seed_command(
    accounts: Annotated[
        int,
        typer.Option(min=1, max=MAX_DEMO_ACCOUNTS, help="How many accounts there are to be."),
    ] = 200,
    requirements: Annotated[
        int,
        typer.Option(min=1, max=MAX_REQUIREMENTS, help="How many requirements each new one has."),
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

    new = with_store(work, Need.MADE)
    console.print(f"{new} accounts are new.")
    if new < accounts:
        console.print(f"{accounts - new} were there, and keep the requirements that they have.")


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

    check_readable(file)
    if not with_store(work, Need.MADE):
        raise typer.Exit(1)


@cli.command()
def token(
    role: RoleOption,
    platform: PlatformOption = DEFAULT_PLATFORM,
    account: AccountOption = None,
    subject: SubjectOption = None,
) -> None:
    """Print a development token, good for 30 days; makes the platform if it is not there."""
    check_account_goes_with(role, account)
    actor = caller(Role(role.upper()), platform, account)

    async def work(store: Store, settings: Settings) -> str:
        signer = known_signer_for(settings)
        if await _make_platform(store, platform, actor):
            console.print(f"The platform {platform} is new.", **PLAIN)
        return signer.sign(actor.role, platform, subject or actor.id, actor.account_id)

    print(with_store(work, Need.MIGRATED))


@cli.command()
def explain(
    file: Annotated[str, typer.Argument(help="The GraphQL document; - is standard input.")],
    variables: Annotated[str | None, typer.Option(help="The variables: JSON, or @FILE.")] = None,
    operation: Annotated[str | None, typer.Option(help="Which operation of several.")] = None,
    role: RoleOption = TokenRole.REVIEWER,
    platform: PlatformOption = DEFAULT_PLATFORM,
    account: AccountOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    full_sql: Annotated[bool, typer.Option("--sql", help="Print all of each statement.")] = False,
) -> None:
    """Run a query, and show how: its levels, its fields, its SQL and what that costs."""
    check_account_goes_with(role, account)
    actor = caller(Role(role.upper()), platform, account)
    question = explaining.read_question(file, variables, operation, read_settings())

    async def work(store: Store, settings: Settings) -> explaining.Explanation:
        return await explaining.explain(store, settings, SystemClock(), actor, question)

    found = with_store(work, Need.MIGRATED)
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
    """Check hash chains, derived status and ledgers; exit code 1 where anything differs."""

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

    if with_store(work, Need.MIGRATED):
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
    """Show every setting with its source, and whether the store is well."""
    settings, problems = look_at_settings()
    _print_settings(settings, problems)

    async def work(store: Store, _: Settings) -> bool:
        well = True
        for finding in await examine(store):
            well = well and finding.well
            mark = "ok" if finding.well else "NOT OK"
            print(f"{mark}: {finding.what}")
        return well

    try:
        is_well = asyncio.run(on_store(settings, work, Need.THERE))
    except (DatabaseUrlInvalid, EmbeddedPostgresError, StoreUnusable) as error:
        print(f"NOT OK: {error}")
        is_well = False
    if problems or not is_well:
        raise typer.Exit(1)


def _print_settings(settings: Settings, problems: list[str]) -> None:
    wrong = {problem.partition(":")[0] for problem in problems}
    for name in Settings.model_fields:
        if variable(name) not in wrong:
            print(f"{variable(name)} = {shown(settings, name)}  [{source_of(name)}]")
    for problem in problems:
        print(f"NOT OK: {problem}")


def _complain(message: str) -> None:
    console.print(f"[red]error:[/red] {escape(message)}", highlight=False, soft_wrap=True)


def _print_finding(finding: Finding) -> None:
    print(f"{finding.account_id} {finding.kind} {finding.place}: {finding.message}")


async def _make_platform(store: Store, slug: str, actor: Actor) -> bool:
    """Make the caller's platform; whether it is new. Raises `CallerUnknown` of the account."""
    async with store.database.worker.connect() as connection:
        await check_account(connection, actor)
        is_new = not await has_platform(connection, actor)
    async with store.database.session_for(system(actor.platform_id)) as session:
        await ensure_platform(session, SystemClock(), slug)
    return is_new


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    )
