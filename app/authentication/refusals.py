"""How authentication ends otherwise. No message says which part of a credential was wrong."""


class TokenRefused(Exception):
    """What was sent is forged, expired, unknown, or says something that can't be."""

    def __init__(self) -> None:
        super().__init__("The token is not valid, or no longer.")


class TooManyFailures(Exception):
    """Too much was refused from where this comes from; `retry_after_seconds` says until when."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("Too many tokens were refused. Try again later.")
        self.retry_after_seconds = retry_after_seconds


class AuthenticationUnavailable(Exception):
    """Whether it is good can't be told now: the issuer or the database is away."""

    def __init__(self) -> None:
        super().__init__("Who is calling can't be told just now. Try again in a moment.")
