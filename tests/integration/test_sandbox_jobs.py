from tests.integration.sandbox_objects import Json, Namespace, shell

from firelift.sandbox.sandbox import Sandbox


def indexed_job(name: str, container: Json, **spec: object) -> Json:
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    body = {"completions": 3, "parallelism": 3, "completionMode": "Indexed", "template": template, **spec}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": body}


def test_an_indexed_job_runs_every_index_once_and_completes(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)

    space.apply(indexed_job("three", shell("echo index=$JOB_COMPLETION_INDEX")))
    space.kubectl("wait", "--for=condition=Complete", "job/three", "--timeout=60s")

    status = space.get("job", "three")["status"]
    said = space.kubectl("logs", "--selector=job-name=three", "--tail=-1").split()
    assert (status["succeeded"], status["completedIndexes"]) == (3, "0-2")
    assert sorted(said) == ["index=0", "index=1", "index=2"]


def test_a_pod_failure_policy_sees_the_exit_code(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)
    rule = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}
    job = indexed_job("refused", shell("exit 42"), podFailurePolicy={"rules": [rule]}, backoffLimit=6)

    space.apply(job)
    space.kubectl("wait", "--for=condition=Failed", "job/refused", "--timeout=60s")

    failed = next(each for each in space.get("job", "refused")["status"]["conditions"] if each["type"] == "Failed")
    assert failed["reason"] == "PodFailurePolicy"
    assert "exit code 42" in failed["message"]


def test_an_ignored_exit_code_is_tried_again_without_counting(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)
    rule = {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [75]}}
    script = 'test -e "$0/again-$JOB_COMPLETION_INDEX" && exit 0; touch "$0/again-$JOB_COMPLETION_INDEX"; exit 75'
    container = shell(script)
    container["command"].append(str(sandbox.directory))

    space.apply(indexed_job("again", container, podFailurePolicy={"rules": [rule]}, backoffLimitPerIndex=0))
    space.kubectl("wait", "--for=condition=Complete", "job/again", "--timeout=90s")

    assert space.get("job", "again")["status"]["completedIndexes"] == "0-2"
