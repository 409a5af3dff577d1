"""How one operator process is set up: environment variables `FIRELIFT_<NAME>`."""

from __future__ import annotations

import os
import secrets
import socket
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from firelift.kube.lease import LeaseSettings

EMULATOR_VARIABLE = "FIRESTORE_EMULATOR_HOST"
PASSED_ON = (EMULATOR_VARIABLE,)
"""Variables of the operator that each worker gets as well."""


def _identity() -> str:
    """Different for each process: a restarted operator is another candidate for the Lease."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


class Settings(BaseSettings):
    """Read once at the start, never changed."""

    model_config = SettingsConfigDict(env_prefix="FIRELIFT_", frozen=True, extra="ignore", env_ignore_empty=True)

    namespaces: Annotated[str, Field(max_length=4096)] = ""
    """Namespaces to look after, separated by commas; empty means all of them."""

    lease_namespace: str = "firelift-system"
    lease_name: str = "firelift-operator"
    deployment: Annotated[str, Field(max_length=253)] = "firelift-operator"
    """The Deployment of the operators, in the Lease's namespace, which is stopped before they are uninstalled."""

    identity: str = Field(default_factory=_identity, max_length=253)
    """The name under which this process asks for the Lease."""

    lease_duration_seconds: float = Field(default=15.0, ge=1, le=300)
    """How long the others wait after the leader's last renewal; an operator that was killed is replaced after it."""

    worker_image: Annotated[str, Field(min_length=1, max_length=512)] = "firelift-worker:0.1.0"
    """The image of workers whose rollout names none."""

    worker_service_account: Annotated[str, Field(max_length=253)] = ""
    """The ServiceAccount of workers whose rollout names none; empty means the namespace's default."""

    run_lease_seconds: int = Field(default=30, ge=2, le=600)
    """How long workers go on without word from the operator."""

    cluster_id: Annotated[str, Field(max_length=253)] = ""
    """What ledgers name as their owner's cluster; empty means the UID of the namespace kube-system."""

    request_timeout_seconds: float = Field(default=10.0, gt=0, le=60)
    """Of one call to the API server."""

    database_timeout_seconds: float = Field(default=5.0, gt=0, le=60)
    """Of all calls to the database within one turn's reading; beyond it the database counts as unreachable."""

    turn_timeout_seconds: float = Field(default=30.0, gt=0, le=300)
    """Of one whole turn of one rollout."""

    measurement_timeout_seconds: float = Field(default=10.0, gt=0, le=60)
    """Of one question to a metric provider."""

    measurement_patience_seconds: float = Field(default=0.5, ge=0, le=10)
    """How long a turn waits for measurements; one that takes longer is handed in by a later turn."""

    working_seconds: float = Field(default=1.0, gt=0, le=10)
    """The time between two turns of a rollout whose workers run; longer where more than 25 of them are at work."""

    resync_seconds: float = Field(default=300.0, ge=1, le=3600)
    """The longest time between two turns of any rollout: what a lost watch event costs at most."""

    tenancy_required: bool = False
    """Whether a namespace that says nothing of what it may touch may touch nothing."""

    tenancy_seconds: float = Field(default=30.0, ge=0, le=600)
    """How old the answer may be what a namespace may touch: so long a rollout goes on that is not allowed any more."""

    progress_seconds: float = Field(default=10.0, ge=0, le=300)
    """The shortest time between two writes of a status in which only progress has changed; up to a minute where more
    than fifty such statuses move."""

    longest_backoff_seconds: float = Field(default=60.0, ge=1, le=600)
    """The longest wait after turns that failed; it starts at 0.1 s and doubles."""

    state_namespace: Annotated[str, Field(max_length=63)] = ""
    """Where Terraform's states, saved plans and what is remembered of environments are kept; empty means the namespace
    of the Lease."""

    terraform_runs: int = Field(default=2, ge=1, le=32)
    """Runs of Terraform at once; one takes up to about 0.3 GiB with Google's provider."""

    terraform_grace_seconds: float = Field(default=30.0, ge=1, le=600)
    """How long a run that is interrupted may take to write its state, before it is killed."""

    terraform_lock_seconds: int = Field(default=60, ge=0, le=600)
    """How long a run waits for the state's lock, before it says who holds it."""

    terraform_directory: Annotated[str, Field(max_length=1024)] = ""
    """Where runs have their directories; empty means one in the temporary directory."""

    terraform_modules: Annotated[str, Field(max_length=1024)] = ""
    """The directory of the Terraform modules; empty means those that came with this program."""

    health_host: str = "0.0.0.0"  # noqa: S104 - the kubelet's probes come from outside the pod
    health_port: int = Field(default=8080, ge=0, le=65535)
    """Of /healthz, /readyz and /metrics; 0 takes any free port."""

    page_host: str = "127.0.0.1"
    """Where the page for people listens; `kubectl port-forward` arrives on the loopback interface."""

    page_port: int = Field(default=0, ge=0, le=65535)
    """Of the page for people; 0: there is none."""

    log_format: Annotated[str, Field(pattern="^(json|console)$")] = "json"

    @property
    def lease(self) -> LeaseSettings:
        """The Lease that this process asks for."""
        return LeaseSettings(self.lease_namespace, self.lease_name, self.identity, self.lease_duration_seconds)

    @property
    def ground_namespace(self) -> str:
        """Where states and saved plans are."""
        return self.state_namespace or self.lease_namespace

    @property
    def watched_namespaces(self) -> tuple[str, ...]:
        """The namespaces to look after; empty means all of them."""
        return tuple(name.strip() for name in self.namespaces.split(",") if name.strip())
