"""How e-mails leave: the port, and what takes their place where there is no mail server.

What goes over the other channels is seen through the API once it is SENT; nothing carries it.
"""

from typing import Protocol

from models.interaction import DashboardOnly
from models.sending import Letter, Result, Shown


class Channel(Protocol):
    """What carries letters. It may be asked for the same one again, and says what came of each."""

    async def carry(self, letter: Letter) -> Result:
        """Carry a letter; never raises for what a server or the way there does."""
        ...


class Dashboard:
    """The API itself: what is SENT is seen there already."""

    async def carry(self, letter: Letter) -> Result:
        """Leave it to the dashboard alone, since there is no mail server."""
        return Shown(DashboardOnly.NO_MAIL_SERVER)
