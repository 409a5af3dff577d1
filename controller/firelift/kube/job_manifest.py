"""What a run's Job looks like: a pure function of the run and of the operator's settings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from firelift.api.base import API_VERSION, ENTRIES_ANNOTATION, ROLLOUT_LABEL, RUN_ANNOTATION
from firelift.api.rollout import KIND, WorkerSpec
from firelift.api.run import RunPlan
from firelift.kube.client import Json
from firelift.kube.quantities import parse_quantity
from firelift.rollout.observation import Rollout

COMMAND = ("python", "-m", "firelift.worker")
CONTAINER = "worker"

_BOUNDABLE_MIB = 1024
"""Below, a worker's own bound would be reached by what its threads merely reserve: its limit is the node's to keep."""
_BOUND_SHARE = 0.9

_NAME = 40  # with the digest, an index of two digits and the suffix of a pod it stays below a label's 63
_DIGEST = 10
_LONGEST_LABEL = 63
_INDEX_ANNOTATION = "metadata.annotations['batch.kubernetes.io/job-completion-index']"


@dataclass(frozen=True, slots=True)
class ExitCodes:
    """What a worker's exit code means to its Job."""

    ignored: tuple[int, ...]
    """Says nothing about the work: the pod is replaced, and no failure is counted."""
    fatal: tuple[int, ...]
    """No further pod can do better: the whole Job fails at once."""


@dataclass(frozen=True, slots=True)
class JobPolicy:
    """The operator's part of every Job. `environment` is passed on to each worker."""

    exit_codes: ExitCodes
    service_account: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


def job_name(rollout: Rollout, run: str) -> str:
    """`<rollout, at most 40 characters>-<10 hex digits of the run>`: the same run always has the same Job."""
    full = f"{rollout.namespace}/{rollout.name}/{rollout.ledger_id}/{run}"
    digest = hashlib.sha256(full.encode()).hexdigest()[:_DIGEST]
    return f"{rollout.name[:_NAME].replace('.', '-').rstrip('-')}-{digest}"


def label_of(rollout: str) -> str:
    """A rollout's name as a label's value; a name too long for one is cut and told apart by a digest."""
    if len(rollout) <= _LONGEST_LABEL:
        return rollout
    return f"{rollout[:_NAME].rstrip('-.')}-{hashlib.sha256(rollout.encode()).hexdigest()[:_DIGEST]}"


def label_selector(rollout: str) -> str:
    """What selects the rollout's Jobs."""
    return f"{ROLLOUT_LABEL}={label_of(rollout)}"


def at_once(rollout: Rollout, plan: RunPlan) -> int:
    """How many pods of a run work at the same time: one, where each batch is followed by a pause."""
    if plan.pace.pause_between_batches_seconds:
        return 1
    return min(plan.workers, plan.shares, rollout.spec.worker.parallelism)


def build_job(rollout: Rollout, plan: RunPlan, policy: JobPolicy, entries: int = 0) -> Json:
    """The Indexed Job of a run, owned by its rollout. `entries` is the length of the run's journal at this time."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(rollout, plan.id),
            "namespace": rollout.namespace,
            "labels": _labels(rollout),
            "annotations": {RUN_ANNOTATION: plan.id, ENTRIES_ANNOTATION: str(entries)},
            "ownerReferences": [_owner(rollout)],
        },
        "spec": {
            "completionMode": "Indexed",
            "completions": plan.shares,
            "parallelism": at_once(rollout, plan),
            "backoffLimitPerIndex": plan.pace.max_retries,
            "maxFailedIndexes": plan.shares,
            "podFailurePolicy": {"rules": _failure_rules(policy.exit_codes)},
            "template": {
                "metadata": {"labels": _labels(rollout), "annotations": {RUN_ANNOTATION: plan.id}},
                "spec": _pod(rollout, plan, policy),
            },
        },
    }


def _pod(rollout: Rollout, plan: RunPlan, policy: JobPolicy) -> Json:
    worker = rollout.spec.worker
    account = worker.service_account_name or policy.service_account
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 30,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        **({"serviceAccountName": account} if account else {}),
        "containers": [
            {
                "name": CONTAINER,
                "image": plan.image,
                "command": list(COMMAND),
                "env": _environment(rollout, plan, policy),
                "resources": _resources(worker),
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    }


def _environment(rollout: Rollout, plan: RunPlan, policy: JobPolicy) -> list[Json]:
    given = [variable.model_dump(by_alias=True, exclude_none=True) for variable in rollout.spec.worker.env]
    ours = {
        **policy.environment,
        "FIRELIFT_LEDGER": plan.ledger,
        "FIRELIFT_RUN": plan.id,
        "FIRELIFT_PROJECT": plan.database.project,
        "FIRELIFT_DATABASE": plan.database.name,
        "FIRELIFT_WORKERS": str(plan.shares),
        **_memory(rollout.spec.worker),
    }
    index: Json = {"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": {"fieldPath": _INDEX_ANNOTATION}}}
    reserved = {*ours, index["name"]}
    return [
        *(variable for variable in given if variable["name"] not in reserved),
        *({"name": name, "value": value} for name, value in ours.items()),
        index,
    ]


def _memory(worker: WorkerSpec) -> dict[str, str]:
    """Stays below the limit of its pod, so that a record that needs more is a dead letter and no killed pod."""
    limit = parse_quantity(worker.resources.limits.get("memory", "0")) / 2**20
    return {"FIRELIFT_MEMORY_MIB": str(int(float(limit) * _BOUND_SHARE))} if limit >= _BOUNDABLE_MIB else {}


def _resources(worker: WorkerSpec) -> Json:
    return {kind: values for kind, values in worker.resources.model_dump(by_alias=True).items() if values}


def _failure_rules(codes: ExitCodes) -> list[Json]:
    rules: list[Json] = [
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
    ]
    for action, values in (("Ignore", codes.ignored), ("FailJob", codes.fatal)):
        if values:
            on = {"containerName": CONTAINER, "operator": "In", "values": sorted(values)}
            rules.append({"action": action, "onExitCodes": on})
    return rules


def _labels(rollout: Rollout) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": "firelift-worker",
        "app.kubernetes.io/managed-by": "firelift",
        ROLLOUT_LABEL: label_of(rollout.name),
    }


def _owner(rollout: Rollout) -> Json:
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": rollout.name,
        "uid": rollout.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }
