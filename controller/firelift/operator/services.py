"""What every turn uses, made once per process."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from firelift.kube.client import Cluster
from firelift.kube.events import Recorder
from firelift.kube.lease import Lease
from firelift.metrics.cloud_monitoring import CloudMonitoring
from firelift.operator.approval_lists import ApprovalLists
from firelift.operator.databases import Databases
from firelift.operator.settings import Settings
from firelift.operator.telemetry.metrics import Metrics
from firelift.operator.tenancies import Tenancies


@dataclass(frozen=True, slots=True)
class Services:
    """Connections, settings and the name of the cluster. `cluster` and `databases` change nothing without the Lease."""

    settings: Settings
    cluster: Cluster
    cluster_id: str
    approvals: ApprovalLists
    tenancies: Tenancies
    lease: Lease
    databases: Databases
    monitoring: CloudMonitoring
    metrics: Metrics
    log: structlog.stdlib.BoundLogger
    events: Recorder = field(default_factory=Recorder)

    @staticmethod
    def now() -> datetime:
        """The operator's clock."""
        return datetime.now(UTC)
