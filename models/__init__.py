"""The domain: tables, lifecycles, operations, batched reads. Knows nothing of GraphQL or HTTP."""
