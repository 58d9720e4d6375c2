"""Mutations of API keys."""

from datetime import datetime
from typing import cast

import strawberry

from models import api_key as operations
from models.actor import Role
from models.api_key import api_keys_by_id
from models.ids import hex_id
from resolvers import ids
from resolvers.api_key import ApiKey
from resolvers.batching import Parents, batched
from resolvers.mutation import (
    KeyedInput,
    Payload,
    VersionedInput,
    loaded_field,
    mutation,
    version_of,
)
from resolvers.scalars import Duration, Secret, plain

IS_THE_API_KEYS_ID = "The global id of the API key."


def _secrets(parents: Parents) -> list[str | None]:
    return [None if result.changed is None else result.changed.secret for result in parents]


@strawberry.type(description="What mutations of an API key answer.")
class ApiKeyPayload(Payload):
    """The key."""

    api_key: ApiKey | None = loaded_field(
        "ApiKey",
        "The API key as it is now.",
        lambda changed: hex_id(changed.key.id),
        api_keys_by_id,
    )


@strawberry.type(description="The API key that was made.")
class IssuedApiKeyPayload(ApiKeyPayload):
    """The key, and all of it."""

    secret: Secret | None = batched(
        _secrets,
        description=(
            "The whole key, which the service sends as `Authorization: Bearer rk_...`. It is shown "
            "here and never again: where the answer is lost, or is a replay, it is missing, and "
            "the key is to be revoked or rotated."
        ),
    )


@strawberry.input(description="A service that is to have an API key.")
class ApiKeyCreateInput(KeyedInput):
    """What the service may do."""

    name: str = strawberry.field(
        description="The name of the service, one line of at most 200 characters; events show it."
    )
    role: Role = strawberry.field(
        description="The role of the service: INTEGRATOR, or AUDITOR where there is that role."
    )
    scopes: list[str] | None = strawberry.field(
        default=None,
        description="The scopes of the service; of them the caller must have each. Sorted, once.",
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="When the key is good no more; never if left out."
    )

    def command(self) -> operations.CreateApiKey:
        return operations.CreateApiKey(
            name=self.name,
            role=plain(self.role),
            scopes=tuple(self.scopes or ()),
            expires_at=self.expires_at,
            **self.shared(),
        )


@strawberry.type(description="The API key that was made.")
class ApiKeyCreatePayload(IssuedApiKeyPayload):
    """What apiKeyCreate answers."""


@strawberry.input(description="The API key that another is to take the place of.")
class ApiKeyRotateInput(VersionedInput):
    """Which key, and how long it lives on."""

    expected_version: int | None = version_of("the API key")
    id: strawberry.ID = strawberry.field(description=IS_THE_API_KEYS_ID)
    overlap: Duration | None = strawberry.field(
        default=cast(Duration, operations.DEFAULT_OVERLAP),
        description=(
            "How long the key lives on, if it does not expire before; null means P1D, too. To end "
            "it at once, revoke it."
        ),
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="When the new key is good no more; never if left out."
    )

    def command(self) -> operations.RotateApiKey:
        return operations.RotateApiKey(
            id=ids.decode(self.id, ids.API_KEY, "id")[1],
            overlap=self.overlap or operations.DEFAULT_OVERLAP,
            expires_at=self.expires_at,
            **self.shared(),
        )


@strawberry.type(description="The API key that has taken the place of the other.")
class ApiKeyRotatePayload(IssuedApiKeyPayload):
    """What apiKeyRotate answers."""


@strawberry.input(description="The API key to revoke.")
class ApiKeyRevokeInput(VersionedInput):
    """Which key."""

    expected_version: int | None = version_of("the API key")
    id: strawberry.ID = strawberry.field(description=IS_THE_API_KEYS_ID)

    def command(self) -> operations.RevokeApiKey:
        return operations.RevokeApiKey(
            id=ids.decode(self.id, ids.API_KEY, "id")[1], **self.shared()
        )


@strawberry.type(description="The revoked API key.")
class ApiKeyRevokePayload(ApiKeyPayload):
    """What apiKeyRevoke answers."""


@strawberry.type(description="Mutations of API keys.")
class ApiKeyMutations:
    """The fields of the root type Mutation that concern API keys."""

    api_key_create: ApiKeyCreatePayload = mutation(
        "apiKeyCreate",
        operations.create,
        ApiKeyCreateInput,
        "Make an API key for a service of the platform.",
        argument="What the service may do.",
    )
    api_key_rotate: ApiKeyRotatePayload = mutation(
        "apiKeyRotate",
        operations.rotate,
        ApiKeyRotateInput,
        "Make another API key for the same service, with the same name, role and scopes; the old "
        "one lives on for a while, so that the service can change over.",
        argument="Which key.",
    )
    api_key_revoke: ApiKeyRevokePayload = mutation(
        "apiKeyRevoke",
        operations.revoke,
        ApiKeyRevokeInput,
        "End an API key: within 5 seconds no server takes it any more.",
        argument="Which key.",
    )
