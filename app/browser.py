"""GraphiQL for browsers: its page at /graphql, its files beside it, nothing from elsewhere.

The files are built from npm packages by `scripts/console`; without them a page says so.
"""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from app.negotiation import prefers_html
from app.refusals import NO_STORE

FILES = Path(__file__).with_name("console") / "dist"
# GraphiQL's editor, Monaco, writes styles into the page; scripts are files of ours alone.
POLICY = {
    "content-security-policy": "default-src 'none'; script-src 'self'; worker-src 'self'; "
    "style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
# Who gives one of these wants data, whatever a browser says of the rest.
PARAMETERS = {"query", "documentId", "extensions"}
NOT_BUILT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Recourse</title>
<h1>This is Recourse's GraphQL endpoint</h1>
<p>GraphiQL, to ask it from the browser, is not built yet. With Node.js 20.19 or newer, run
<code>scripts/console</code> in the folder of Recourse, then load this page again.</p>
<p>Any other client works without it: POST to this address with the header
<code>Authorization: Bearer &lt;token&gt;</code>.</p>
</html>
"""


def wants_page(request: Request) -> bool:
    """Whether who sends a GET is a browser that looks, and does not ask."""
    asks = request.query_params.keys() & PARAMETERS
    return prefers_html(request.headers.get("accept", "")) and not asks


def page(request_id: str) -> Response:
    """GraphiQL, or how to get it."""
    index = FILES / "index.html"
    content = index.read_text() if index.is_file() else NOT_BUILT
    return HTMLResponse(content, headers={**POLICY, **NO_STORE, "x-request-id": request_id})


def files() -> Mount:
    """What the page loads."""
    return Mount("/graphiql", StaticFiles(directory=FILES, check_dir=False))
