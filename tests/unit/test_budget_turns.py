"""A rollout whose runs follow each other quickly leaves others their part of the budget."""

from firelift.migration.budget import Budget, Claim, allot
from firelift.migration.budget_leases import SECOND

LEASE = 30


def claim(ledger: str, run: int, want: float) -> Claim:
    return Claim(ledger=ledger, name=ledger, run=f"{run}", epoch=1, cap=1000, want=want, lease_seconds=LEASE)


def test_a_large_share_is_remembered_until_its_own_lease_ends_and_no_longer() -> None:
    now = SECOND
    budget = allot(Budget(), claim("busy", 0, 1000), now)
    granted = []
    for run in range(1, 40):
        now += 2 * SECOND
        budget = allot(budget, claim("busy", run, 100 if run % 2 else 1000), now)
        budget = allot(budget, claim("waiting", 0, 1000), now)
        assert sum(lease.spendable(now) for lease in budget.leases) <= budget.rate
        waiting = budget.lease("waiting")
        assert waiting is not None
        granted.append(waiting.share)
    assert granted[0] == 0
    assert min(granted[LEASE // 2 :]) >= 200
