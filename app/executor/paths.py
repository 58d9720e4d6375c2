"""Response paths: as graphql-core gives them to resolvers, and as errors show them."""

from typing import TYPE_CHECKING

from graphql.pyutils import Path

if TYPE_CHECKING:
    from app.executor.errors import Place
    from app.executor.rows import Rows


def path_of(place: "Place") -> Path:
    """The path of a place."""
    path = Path(_path_of_row(place.rows, place.row), place.field.name, place.field.parent_type.name)
    for index in place.indexes:
        path = path.add_key(index)
    return path


def _path_of_row(rows: "Rows", row: int) -> Path | None:
    """The path of an object, made once; None for the root."""
    if rows.fold is None:
        return None
    path = rows.paths.get(row)
    if path is None:
        path = rows.paths[row] = path_of(rows.fold.place_of(rows.ordinal(row)))
    return path
