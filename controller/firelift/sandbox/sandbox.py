"""The whole sandbox as one context manager."""

import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from firelift.sandbox.control_plane import ControlPlane
from firelift.sandbox.emulator import Emulator
from firelift.sandbox.google_cloud import GoogleCloud, provider_environment
from firelift.sandbox.helm import rendered
from firelift.sandbox.kubeconfig import write_kubeconfig
from firelift.sandbox.kubectl import run_kubectl, wait_until_established
from firelift.sandbox.kubelet.image import image_id
from firelift.sandbox.processes import Process, Supervisor
from firelift.sandbox.provider import ensure_provider_mirror
from firelift.sandbox.tools import ensure_control_plane

OPERATOR_NAMESPACE = "firelift-system"
OPERATOR_ACCOUNT = "firelift-operator"
_RIGHTS = (
    *("service-accounts", "operator-rbac", "secret-rbac", "user-roles"),
    *("approval-policy", "automatic-apply-policy", "on-call-policy", "tenancy-policy"),
)
_NAMESPACE = f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {OPERATOR_NAMESPACE}\n"
_CHECKOUT = Path(__file__).resolve().parents[3]
_KUBELET_READY_SECONDS = 60.0
_TOKEN_DURATION = "--duration=168h"  # noqa: S105  # a flag of kubectl


class Sandbox:
    """A cluster of one node, a Firestore emulator and the Google Cloud stand-in, in one temporary directory.

    Everything runs in child processes; leaving the context ends them all, and so does the end of this process.
    """

    def __init__(self, *, emulator: Emulator | None = None) -> None:
        """Use `emulator`, which stays its owner's, or start one of our own."""
        self._given_emulator = emulator
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as cleanup:
            self._start(cleanup)
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    def _start(self, cleanup: ExitStack) -> None:
        binaries = ensure_control_plane()
        self.directory = Path(tempfile.mkdtemp(prefix="firelift-sandbox-"))
        self.supervisor = cleanup.enter_context(Supervisor(self.directory, remove=True))
        self.emulator = self._given_emulator or Emulator(self.supervisor)
        self.control_plane = ControlPlane(binaries, self.directory / "control-plane", self.supervisor)
        self.google = GoogleCloud(self.supervisor, self.directory / "google-cloud", self.firestore_host)
        self.control_plane.wait()
        self.google.wait()
        self.emulator.wait()
        self.kubelet = self.start_kubelet()

    def start_kubelet(self) -> Process:
        """Start the process kubelet and wait until its Node is ready; pods of an earlier life are marked Failed."""
        ready = self.directory / "kubelet-ready"
        ready.unlink(missing_ok=True)
        control = self.control_plane
        serving = control.authority.issue("kubelet", "system:node:sandbox", "system:nodes")
        command = [
            *(sys.executable, "-m", "firelift.sandbox.kubelet"),
            f"--kubeconfig={control.client_kubeconfig('kubelet-client', 'system:node:sandbox', 'system:masters')}",
            f"--directory={self.directory / 'kubelet'}",
            f"--certificate={serving.certificate}",
            f"--key={serving.key}",
            f"--client-ca={control.authority.certificate}",
            f"--ready-file={ready}",
            *(f"--pod-env={name}={value}" for name, value in self._pod_environment().items()),
        ]
        self.kubelet = self.supervisor.start("kubelet", command)
        self.kubelet.wait_until(ready.exists, seconds=_KUBELET_READY_SECONDS)
        return self.kubelet

    @property
    def kubeconfig(self) -> Path:
        """The cluster administrator's kubeconfig."""
        return self.control_plane.kubeconfig

    @property
    def firestore_host(self) -> str:
        """`127.0.0.1:port` of the Firestore emulator."""
        return self.emulator.host

    @property
    def monitoring_host(self) -> str:
        """`127.0.0.1:port` of the stand-in's gRPC services."""
        return self.google.monitoring_host

    @property
    def control_url(self) -> str:
        """`http://127.0.0.1:port` of the stand-in's fault and value API."""
        return self.google.control_url

    def google_environment(self) -> dict[str, str]:
        """The variables that point Google's clients at the sandbox; every pod has them, as on a node of Google's.

        Terraform's `google` provider is one of these clients.
        """
        return {
            "FIRESTORE_EMULATOR_HOST": self.firestore_host,
            "FIRELIFT_MONITORING_ENDPOINT": self.monitoring_host,
            "FIRELIFT_FIRESTORE_ADMIN_ENDPOINT": self.monitoring_host,
            "FIRELIFT_GOOGLE_CONTROL": self.control_url,
            **provider_environment(self.google.rest_url),
        }

    def _pod_environment(self) -> dict[str, str]:
        """Google's side, and where Terraform finds its providers and works: the image and its mounts in a cluster."""
        terraform = {
            "FIRELIFT_PROVIDER_MIRROR": str(ensure_provider_mirror()),
            "FIRELIFT_TERRAFORM_DIRECTORY": str(self.directory / "terraform"),
        }
        return {**self.google_environment(), **terraform}

    def environment(self) -> dict[str, str]:
        """The variables with which another process uses the sandbox as its administrator."""
        return {"KUBECONFIG": str(self.kubeconfig), **self.google_environment()}

    def kubectl(self, *arguments: str, stdin: str = "", kubeconfig: Path | None = None) -> str:
        """Run kubectl as the administrator, or with another kubeconfig; return what it prints.

        Raises:
            KubectlError: with kubectl's own message.
        """
        return run_kubectl(kubeconfig or self.kubeconfig, *arguments, stdin=stdin)

    def install_crds(self) -> None:
        """Apply the checkout's `crds/` and wait until the API server serves them."""
        self.kubectl("apply", "--server-side", "-f", str(_CHECKOUT / "crds"))
        wait_until_established(self.kubeconfig, "-f", str(_CHECKOUT / "crds"))

    def install_manifests(self) -> None:
        """Apply the chart's ServiceAccounts, roles and admission policies, without its Deployment."""
        self.kubectl("apply", "--server-side", "-f", "-", stdin=_NAMESPACE)
        self.kubectl("apply", "--server-side", "-f", "-", stdin=rendered(OPERATOR_NAMESPACE, _RIGHTS))

    def start_operator(self, name: str = "operator", environment: Mapping[str, str] | None = None) -> Process:
        """Start an operator as its own process under the chart's ServiceAccount.

        `name` is its log's name too; `environment` adds settings (FIRELIFT_HEALTH_PORT is any free port by default).
        """
        kubeconfig = self.service_account_kubeconfig(OPERATOR_NAMESPACE, OPERATOR_ACCOUNT)
        ours = {
            "KUBECONFIG": str(kubeconfig),
            "FIRELIFT_HEALTH_HOST": "127.0.0.1",
            "FIRELIFT_HEALTH_PORT": "0",
            "FIRELIFT_LEASE_DURATION_SECONDS": "5",
            "FIRELIFT_WORKER_IMAGE": image_id(),
        }
        merged = {**self._pod_environment(), **ours, **(environment or {})}
        return self.supervisor.start(name, [sys.executable, "-m", "firelift.operator"], merged)

    def service_account_kubeconfig(self, namespace: str, name: str) -> Path:
        """Write a kubeconfig that authenticates as an existing ServiceAccount by a token of one week."""
        token = self.kubectl("create", "token", name, f"--namespace={namespace}", _TOKEN_DURATION).strip()
        path = self.directory / f"{namespace}.{name}.kubeconfig"
        return write_kubeconfig(path, self.control_plane.cluster, {"token": token}, namespace=namespace)

    def pause_emulator(self) -> None:
        """Freeze the emulator: it keeps its data and answers nothing."""
        self.emulator.process.pause()

    def resume_emulator(self) -> None:
        """Let the emulator answer again."""
        self.emulator.process.resume()
