"""The schema. Reads go through batched loads, writes through the operations in `models`."""

# Strawberry takes an enum as it finds it: they are described before any type uses one.
import resolvers.enums  # noqa: F401
