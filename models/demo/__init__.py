"""The demo: programs of every category, and businesses with a history under them."""
