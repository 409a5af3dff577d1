"""etcd, kube-apiserver and kube-controller-manager on the loopback interface."""

import http.client
import ssl
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from firelift.sandbox.certificates import CertificateAuthority, write_key
from firelift.sandbox.kubeconfig import Cluster, write_kubeconfig
from firelift.sandbox.ports import free_port
from firelift.sandbox.processes import Process, Supervisor
from firelift.sandbox.tools import ControlPlaneBinaries

_READY_SECONDS = 120.0  # 3 s on an idle machine of two cores; a loaded one may need many times that
_ISSUER = "https://kubernetes.default.svc"
_CONTROLLERS = (
    "clusterrole-aggregation-controller",
    "deployment-controller",
    "garbage-collector-controller",
    "job-controller",
    "namespace-controller",
    "replicaset-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "ttl-after-finished-controller",
    "validatingadmissionpolicy-status-controller",
)


class ControlPlane:
    """A cluster without nodes; RBAC is on and ServiceAccount tokens are signed as in any cluster."""

    def __init__(self, binaries: ControlPlaneBinaries, directory: Path, supervisor: Supervisor) -> None:
        """Start etcd and the API server; `wait` starts the controllers and tells when the cluster serves."""
        directory.mkdir(parents=True, exist_ok=True)
        self._binaries = binaries
        self._directory = directory
        self._supervisor = supervisor
        self.authority = CertificateAuthority(directory / "pki")
        self.port = free_port()
        self._etcd_url = f"http://127.0.0.1:{free_port()}"
        self.cluster = Cluster(f"https://127.0.0.1:{self.port}", self.authority.certificate)
        self._service_account_key = directory / "pki" / "service-accounts.key"
        write_key(self._service_account_key, ec.generate_private_key(ec.SECP256R1()))
        self.kubeconfig = self.client_kubeconfig("admin", "sandbox-admin", "system:masters")
        self._context = ssl.create_default_context(cafile=str(self.authority.certificate))
        self._context.load_cert_chain(*self.authority.issue("readiness", "sandbox-readiness", "system:masters"))
        self.etcd = supervisor.start("etcd", self._etcd_command())
        self.apiserver = supervisor.start("kube-apiserver", self._apiserver_command())
        self.controller_manager: Process | None = None

    def client_kubeconfig(self, file_name: str, user: str, *groups: str) -> Path:
        """Write a kubeconfig that authenticates as `user` in `groups` by a client certificate."""
        pair = self.authority.issue(file_name, user, *groups)
        entry = {"client-certificate": str(pair.certificate), "client-key": str(pair.key)}
        return write_kubeconfig(self._directory / f"{file_name}.kubeconfig", self.cluster, entry)

    def wait(self) -> None:
        """Wait until the API server is ready and pods can be created in the namespace `default`.

        Raises:
            ProcessError: a process ended or was not ready in time.
        """
        self.apiserver.wait_until(lambda: self._serves("/readyz"), seconds=_READY_SECONDS)
        # It gives up on an API server that is not there within 10 s, so it is started last.
        manager = self._supervisor.start("kube-controller-manager", self._controller_manager_command())
        manager.wait_until(
            lambda: self._serves("/api/v1/namespaces/default/serviceaccounts/default"), seconds=_READY_SECONDS
        )
        self.controller_manager = manager

    def _serves(self, path: str) -> bool:
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self._context, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _etcd_command(self) -> list[str]:
        peer = f"http://127.0.0.1:{free_port()}"
        return [
            str(self._binaries.etcd),
            f"--data-dir={self._directory / 'etcd'}",
            f"--listen-client-urls={self._etcd_url}",
            f"--advertise-client-urls={self._etcd_url}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",  # the data does not outlive the sandbox
        ]

    def _apiserver_command(self) -> list[str]:
        pki = self._directory / "pki"
        serving = self.authority.issue("apiserver", "kube-apiserver")
        kubelet_client = self.authority.issue("apiserver-kubelet-client", "kube-apiserver-kubelet-client")
        return [
            str(self._binaries.apiserver),
            f"--etcd-servers={self._etcd_url}",
            f"--secure-port={self.port}",
            "--bind-address=127.0.0.1",
            "--endpoint-reconciler-type=none",  # an Endpoints object cannot hold a loopback address
            f"--cert-dir={pki}",
            f"--tls-cert-file={serving.certificate}",
            f"--tls-private-key-file={serving.key}",
            f"--client-ca-file={self.authority.certificate}",
            f"--kubelet-certificate-authority={self.authority.certificate}",
            f"--kubelet-client-certificate={kubelet_client.certificate}",
            f"--kubelet-client-key={kubelet_client.key}",
            "--kubelet-preferred-address-types=InternalIP",
            f"--service-account-issuer={_ISSUER}",
            f"--service-account-key-file={self._service_account_key}",
            f"--service-account-signing-key-file={self._service_account_key}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--allow-privileged=true",
            "--profiling=false",
        ]

    def _controller_manager_command(self) -> list[str]:
        kubeconfig = self.client_kubeconfig("controller-manager", "system:kube-controller-manager", "system:masters")
        return [
            str(self._binaries.controller_manager),
            f"--kubeconfig={kubeconfig}",
            f"--controllers={','.join(_CONTROLLERS)}",
            f"--root-ca-file={self.authority.certificate}",
            f"--service-account-private-key-file={self._service_account_key}",
            "--use-service-account-credentials=false",
            "--leader-elect=false",
            "--secure-port=0",
            "--kube-api-qps=200",
            "--kube-api-burst=400",
        ]
