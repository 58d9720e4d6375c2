"""The factories bring a requirement and a resolution to every state."""

import pytest

from models.resolution import ResolutionState
from models.status import RequirementState
from tests.factories import Runner, create_requirement, create_resolution


@pytest.mark.parametrize("state", RequirementState)
async def test_a_requirement_in_any_state(run: Runner, state: RequirementState) -> None:
    assert (await create_requirement(run, state)).state == state


@pytest.mark.parametrize("state", ResolutionState)
async def test_a_resolution_in_any_state(run: Runner, state: ResolutionState) -> None:
    assert (await create_resolution(run, state)).state == state
