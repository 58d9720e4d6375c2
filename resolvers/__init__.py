"""The schema. Reads go through batched loads, writes through the operations in `models`."""
