"""The state machine's rules of decisions: the second pair of eyes, and the one on an appeal."""

from typing import Any

from models import appeal, decision
from models.appeal import DecideAppeal
from models.decision import ApproveResolution, DeclineResolution
from models.resolution import Resolution
from tests.models.machine import Workbench
from tests.models.reference import REVIEWERS
from tests.models.reference_contacts import tell


class DecisionRules(Workbench):
    """What is done with decisions."""

    def second(self) -> None:
        """The second pair of eyes; rather on what still waits for them."""
        draft, proposal = self.pick(
            lambda model: model.resolutions, lambda made: made.state == "PROPOSED"
        )
        by = self.one_of(REVIEWERS - {proposal.proposer})
        approve = self.random.random() < 0.65
        version, refusals = self.version(proposal.version)
        fields: dict[str, Any] = {
            "account_id": draft.id,
            "resolution_id": proposal.id,
            "expected_version": version,
            "idempotency_key": self.key(),
        }
        refusals |= proposal.refusals("APPROVE" if approve else "DECLINE", by)

        def effect(_: Resolution) -> None:
            item = next(item for item in draft.items if item.proposal is proposal)
            if not approve:
                draft.decline(item, proposal, by)
                return
            proposal.state, item.proposal = "FINAL", None
            proposal.decider = by
            proposal.version += 1
            draft.say("RESOLUTION_FINAL")
            draft.finish(item, proposal)
            tell(draft)

        command: Any = ApproveResolution(**fields) if approve else DeclineResolution(**fields)
        operation = decision.approve_resolution if approve else decision.decline_resolution
        what = f"proposal {'approve' if approve else 'decline'}"
        self.perform(what, draft, operation, by, command, refusals, effect)

    def judge(self) -> None:
        """The decision on an appeal; rather on one that is open."""
        draft, made = self.pick(
            lambda model: model.resolutions, lambda made: made.state == "APPEALED"
        )
        by = self.one_of(REVIEWERS - {made.proposer, made.decider, made.appealer})
        uphold = self.random.random() < 0.5
        version, refusals = self.version(made.version)
        reasons = "We have looked again." if self.random.random() < 0.9 else " "
        command = DecideAppeal(
            account_id=draft.id,
            resolution_id=made.id,
            reasons=reasons,
            expected_version=version,
            idempotency_key=self.key(),
        )
        refusals |= made.refusals("UPHOLD" if uphold else "OVERTURN", by)
        refusals |= set() if reasons.strip() else {"INVALID_INPUT"}

        def effect(_: Resolution) -> None:
            item = next(item for item in draft.items if item.rejection is made)
            made.judge = by
            draft.judge(item, made, uphold)
            tell(draft)

        operation = appeal.uphold if uphold else appeal.overturn
        what = f"appeal {'uphold' if uphold else 'overturn'}"
        self.perform(what, draft, operation, by, command, refusals, effect)
