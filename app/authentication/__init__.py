"""Who is calling: from what a request brings along to an `Actor`.

`authenticator.py` is the port. Behind it are three kinds of credentials, told by their form: access
tokens of an OpenID Connect issuer (`access_tokens.py`, `claims.py`, `issuer_keys.py`), API keys
(`api_keys.py`), and development tokens (`app/tokens.py`). `failures.py` counts what is refused.
"""
