from __future__ import annotations

from typing import Any

import pytest

from firelift.api.cohort import Selection
from firelift.api.migration import MigrationSpec
from firelift.api.rollout import RolloutSpec
from firelift.api.run import RunKind, RunPlan
from firelift.kube.job_manifest import ExitCodes, JobPolicy, build_job, job_name, label_of
from firelift.kube.jobs import blameless, owner_of, seen
from firelift.rollout.observation import Rollout

POLICY = JobPolicy(ExitCodes(ignored=(75, 64), fatal=(77,)), environment={"FIRESTORE_EMULATOR_HOST": "127.0.0.1:1"})


def rollout(name: str = "users", **spec: Any) -> Rollout:
    document: dict[str, Any] = {
        "database": {"project": "demo-project"},
        "migrations": [{"name": "m", "source": {"collection": "a"}, "target": {"document": "b/{id}"}}],
        "phases": [{"name": "one", "steps": [{"soak": {"seconds": 1, "evidence": "None"}}]}],
    }
    return Rollout("shop", name, "uid-1", 1, RolloutSpec.model_validate(document | spec))


def plan(run: str = "a1.one.migrate.m.migrate.0", workers: int = 4) -> RunPlan:
    return RunPlan.model_validate(
        {
            "id": run,
            "ledger": "shop.users",
            "database": {"project": "demo-project"},
            "seed": "s",
            "attempt": 1,
            "phase": "one",
            "step": "migrate",
            "kind": RunKind.MIGRATE,
            "migration": MigrationSpec.model_validate(
                {"name": "m", "source": {"collection": "a"}, "target": {"document": "b/{id}"}}
            ),
            "selection": Selection(to_bucket=100),
            "now": "2026-01-01T00:00:00Z",
            "pace": {},
            "workers": workers,
            "image": "worker@sha256:1",
        }
    )


def container(job: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = job["spec"]["template"]["spec"]["containers"][0]
    return found


def environment(job: dict[str, Any]) -> dict[str, Any]:
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container(job)["env"]}


def test_a_run_has_the_same_job_name_for_ever_and_another_run_has_another() -> None:
    assert job_name(rollout(), "a1.x") == job_name(rollout(), "a1.x")
    assert job_name(rollout(), "a1.x") != job_name(rollout(), "a1.y")


@pytest.mark.parametrize("name", ["u", "a" * 253, "a" * 39 + ".b", "x.y.z"])
def test_the_pods_of_a_job_have_names_that_fit_a_label(name: str) -> None:
    made = job_name(rollout(name), "a1.x")

    assert len(f"{made}-31-abcde") <= 63
    assert "." not in made


def test_two_rollouts_with_the_same_beginning_have_jobs_of_their_own() -> None:
    assert job_name(rollout("a" * 50), "a1.x") != job_name(rollout("a" * 51), "a1.x")


def test_a_label_keeps_a_name_that_fits_and_tells_long_ones_apart() -> None:
    assert label_of("users") == "users"
    assert len(label_of("a" * 253)) <= 63
    assert label_of("a" * 253) != label_of("a" * 252)


def test_a_job_has_an_index_per_worker_and_no_more_pods_than_the_rollout_allows() -> None:
    spec = build_job(rollout(worker={"parallelism": 3}), plan(workers=8), POLICY)["spec"]

    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 8, 3)
    assert "ttlSecondsAfterFinished" not in spec


def test_a_large_run_has_more_indexes_than_pods() -> None:
    job = build_job(rollout(worker={"parallelism": 3}), plan(workers=3).model_copy(update={"indexes": 12}), POLICY)

    assert (job["spec"]["completions"], job["spec"]["maxFailedIndexes"], job["spec"]["parallelism"]) == (12, 12, 3)
    assert environment(job)["FIRELIFT_WORKERS"] == "12"


def test_a_small_run_has_no_more_pods_than_indexes() -> None:
    spec = build_job(rollout(), plan(workers=4).model_copy(update={"indexes": 1}), POLICY)["spec"]

    assert (spec["completions"], spec["parallelism"]) == (1, 1)


def test_a_run_that_pauses_between_batches_has_one_pod_at_a_time_and_pods_are_tried_again_as_often_as_commits() -> None:
    pausing = plan().pace.model_copy(update={"pause_between_batches_seconds": 2, "max_retries": 5})
    spec = build_job(rollout(worker={"parallelism": 3}), plan().model_copy(update={"pace": pausing}), POLICY)["spec"]

    assert (spec["completions"], spec["parallelism"], spec["backoffLimitPerIndex"]) == (4, 1, 5)


def test_a_worker_is_told_its_run_its_index_and_where_the_emulator_is() -> None:
    assert environment(build_job(rollout(), plan(), POLICY)) == {
        "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1",
        "FIRELIFT_LEDGER": "shop.users",
        "FIRELIFT_RUN": "a1.one.migrate.m.migrate.0",
        "FIRELIFT_PROJECT": "demo-project",
        "FIRELIFT_DATABASE": "(default)",
        "FIRELIFT_WORKERS": "4",
        "JOB_COMPLETION_INDEX": {
            "fieldRef": {"fieldPath": "metadata.annotations['batch.kubernetes.io/job-completion-index']"}
        },
    }


def test_a_rollouts_own_variables_reach_the_worker_and_never_replace_firelifts() -> None:
    given = [
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "FIRESTORE_EMULATOR_HOST", "value": "mine"},
    ]
    made = environment(build_job(rollout(worker={"env": given}), plan(), POLICY))

    assert made["TOKEN"] == {"secretKeyRef": {"name": "s", "key": "k"}}
    assert made["FIRESTORE_EMULATOR_HOST"] == "127.0.0.1:1"


@pytest.mark.parametrize(
    ("limits", "bound"),
    [
        ({}, None),
        ({"cpu": "2"}, None),
        ({"memory": "256Mi"}, None),
        ({"memory": "1Gi"}, "921"),
        ({"memory": "8589934592"}, "7372"),
    ],
)
def test_a_worker_bounds_its_memory_below_the_limit_of_its_pod(limits: dict[str, str], bound: str | None) -> None:
    made = environment(build_job(rollout(worker={"resources": {"limits": limits}}), plan(), POLICY))

    assert made.get("FIRELIFT_MEMORY_MIB") == bound


def test_exit_codes_decide_what_a_failed_pod_counts_as() -> None:
    rules = build_job(rollout(), plan(), POLICY)["spec"]["podFailurePolicy"]["rules"]

    assert [(rule["action"], rule.get("onExitCodes", {}).get("values")) for rule in rules] == [
        ("Ignore", None),
        ("Ignore", [64, 75]),
        ("FailJob", [77]),
    ]


def test_a_worker_is_restricted_and_has_no_token() -> None:
    pod = build_job(rollout(), plan(), POLICY)["spec"]["template"]["spec"]

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert pod["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_resources_and_account_are_the_rollouts() -> None:
    worker = {"resources": {"limits": {"memory": "1Gi"}}, "serviceAccountName": "mover"}
    pod = build_job(rollout(worker=worker), plan(), POLICY)["spec"]["template"]["spec"]

    assert (pod["serviceAccountName"], pod["containers"][0]["resources"]) == ("mover", {"limits": {"memory": "1Gi"}})


def test_a_job_belongs_to_its_rollout() -> None:
    assert owner_of(build_job(rollout(), plan(), POLICY)) == "uid-1"
    assert owner_of({"metadata": {}}) == ""


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({}, (0, 0, False, "")),
        ({"active": 2, "succeeded": 1}, (2, 1, False, "")),
        (
            {"conditions": [{"type": "Failed", "status": "True", "reason": "PodFailurePolicy", "message": "exit 77"}]},
            (0, 0, True, "PodFailurePolicy: exit 77"),
        ),
        ({"conditions": [{"type": "Failed", "status": "False"}]}, (0, 0, False, "")),
        ({"conditions": [{"type": "Complete", "status": "True"}]}, (0, 0, False, "")),
    ],
)
def test_a_job_says_how_many_pods_run_and_why_it_failed(
    status: dict[str, Any], expected: tuple[int, int, bool, str]
) -> None:
    found = seen({"metadata": {}, "status": status})

    assert (found.active, found.succeeded, found.failed, found.failure) == expected


def test_a_job_remembers_how_long_the_journal_was_when_it_was_made() -> None:
    assert seen(build_job(rollout(), plan(), POLICY, entries=7)).entries == 7
    assert seen(build_job(rollout(), plan(), POLICY)).entries == 0


def ended(code: int, reason: str = "Error") -> dict[str, Any]:
    state = {"terminated": {"exitCode": code, "reason": reason}}
    return {"status": {"phase": "Failed" if code else "Succeeded", "containerStatuses": [{"state": state}]}}


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        ([], False),
        ([ended(0)], False),
        ([ended(137)], True),
        ([ended(0), ended(137), ended(10)], True),
        ([ended(137), ended(1)], False),
        ([ended(137, "OOMKilled")], False),
        ([{"status": {"phase": "Failed"}}], False),
        ([{"status": {"phase": "Pending"}}, {"status": {}}], False),
    ],
)
def test_pods_are_blameless_when_they_were_killed_or_told_to_leave(
    pods: list[dict[str, Any]], *, expected: bool
) -> None:
    assert blameless(pods, {10, 137}) is expected
