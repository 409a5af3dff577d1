import re

import pytest
from tests.integration.sandbox_objects import Namespace, pod, shell

from firelift.sandbox.kubectl import KubectlError
from firelift.sandbox.sandbox import Sandbox


def test_kubectl_reads_the_version_of_the_server(sandbox: Sandbox) -> None:
    assert re.search(r"^Server Version: v1\.36\.3$", sandbox.kubectl("version"), re.MULTILINE)


def test_rbac_refuses_a_service_account_without_rights(sandbox: Sandbox, namespace: str) -> None:
    kubeconfig = sandbox.service_account_kubeconfig(namespace, "default")

    with pytest.raises(KubectlError, match="Forbidden") as refused:
        sandbox.kubectl("get", "pods", f"--namespace={namespace}", kubeconfig=kubeconfig)

    assert f"system:serviceaccount:{namespace}:default" in str(refused.value)


def test_a_granted_role_opens_exactly_what_it_names(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)
    space.kubectl("create", "role", "reader", "--verb=list", "--resource=pods")
    space.kubectl("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={namespace}:default")
    kubeconfig = sandbox.service_account_kubeconfig(namespace, "default")

    assert "items" in sandbox.kubectl("get", "pods", f"--namespace={namespace}", "-o", "json", kubeconfig=kubeconfig)
    with pytest.raises(KubectlError, match="Forbidden"):
        sandbox.kubectl("get", "secrets", f"--namespace={namespace}", kubeconfig=kubeconfig)


def test_a_pod_acts_as_its_own_service_account(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)
    space.kubectl("create", "serviceaccount", "worker")

    space.apply(pod("who", shell("kubectl auth whoami"), serviceAccountName="worker"))

    assert space.finish("who") == ["Succeeded"]
    assert f"system:serviceaccount:{namespace}:worker" in space.kubectl("logs", "who")


def test_the_python_client_finds_the_pods_identity(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)
    script = """
import asyncio
from kubernetes.aio import client, config
async def main():
    await config.load_kube_config()
    async with client.ApiClient() as api:
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        answer = await client.AuthenticationV1Api(api).create_self_subject_review(review)
        print(answer.status.user_info.username)
asyncio.run(main())
"""
    container = {"name": "main", "image": "none", "command": ["python", "-c", script]}

    space.apply(pod("who", container))

    assert space.finish("who") == ["Succeeded"]
    assert space.kubectl("logs", "who").strip() == f"system:serviceaccount:{namespace}:default"


def test_a_pod_without_a_token_has_no_access(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)

    space.apply(pod("nobody", shell("kubectl --request-timeout=5s auth whoami"), automountServiceAccountToken=False))

    assert space.finish("nobody") == ["Failed"]
