"""The options that several commands have, and what they refuse."""

import re
from enum import StrEnum
from importlib.metadata import version
from typing import Annotated

import typer

from app.tokens import MAX_SUBJECT_LENGTH
from models.errors import InvalidInput
from models.platform import MAX_SLUG_LENGTH
from models.text import check_own_name

_SLUG = re.compile("[a-z0-9]+([._-][a-z0-9]+)*")


class TokenRole(StrEnum):
    """The roles that a development token may have."""

    ACCOUNT_USER = "account_user"
    REVIEWER = "reviewer"
    SENIOR_REVIEWER = "senior_reviewer"
    INTEGRATOR = "integrator"
    ADMIN = "admin"
    AUDITOR = "auditor"


def check_account_goes_with(role: TokenRole, account: str | None) -> None:
    """Raise `BadParameter` unless there is an account exactly for account users."""
    if role is TokenRole.ACCOUNT_USER and account is None:
        raise typer.BadParameter(
            "--account is missing: of which account the user is, by its global or external id."
        )
    if role is not TokenRole.ACCOUNT_USER and account is not None:
        raise typer.BadParameter("--account goes with --role account_user only.")


def _slug(value: str) -> str:
    if len(value) > MAX_SLUG_LENGTH or not _SLUG.fullmatch(value):
        raise typer.BadParameter(
            "a slug is lower-case letters and digits, with single . _ or - between them, "
            f"at most {MAX_SLUG_LENGTH} characters."
        )
    return value


def _subject(value: str | None) -> str | None:
    try:
        return None if value is None else check_own_name(value, MAX_SUBJECT_LENGTH)
    except InvalidInput as error:
        raise typer.BadParameter(error.message) from error


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"recourse {version('recourse')}")
        raise typer.Exit


RoleOption = Annotated[TokenRole, typer.Option(help="The role.", case_sensitive=False)]
PlatformOption = Annotated[str, typer.Option(help="The platform's slug.", callback=_slug)]
AccountOption = Annotated[
    str | None,
    typer.Option(
        help="The account, by its global or external id; goes with --role account_user, which "
        "needs it."
    ),
]
SubjectOption = Annotated[
    str | None,
    typer.Option(
        help="Who the token is for. Whatever takes four eyes takes two of them.",
        show_default="dev-<role>",
        callback=_subject,
    ),
]
VersionOption = Annotated[
    bool,
    typer.Option(
        "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
    ),
]
