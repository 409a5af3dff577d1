from tests.integration.sandbox_objects import Json, Namespace, pod, shell
from tests.waiting import eventually

from firelift.sandbox.sandbox import Sandbox


def config_map(name: str, **data: str) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(name: str, **data: str) -> Json:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def field(path: str) -> Json:
    return {"valueFrom": {"fieldRef": {"fieldPath": path}}}


def test_values_of_every_source_reach_the_process(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)
    variables = [
        {"name": "PLAIN", "value": "seen"},
        {"name": "EXPANDED", "value": "$(PLAIN) and $$(PLAIN)"},
        {"name": "FROM_MAP", "valueFrom": {"configMapKeyRef": {"name": "flags", "key": "LOGS_READ_NEW"}}},
        {"name": "FROM_SECRET", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "value"}}},
        {"name": "ABSENT", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "none", "optional": True}}},
        {"name": "POD", **field("metadata.name")},
        {"name": "TEAM", **field("metadata.annotations['team']")},
        {"name": "NODE", **field("spec.nodeName")},
        {"name": "CPUS", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}},
    ]
    container = shell(
        'echo "$PLAIN|$EXPANDED|$FROM_MAP|$FROM_SECRET|${ABSENT-unset}|$POD|$TEAM|$NODE|$CPUS|$A_MODE|$0"',
        env=variables,
        envFrom=[{"prefix": "A_", "configMapRef": {"name": "all"}}],
        args=["$(POD)"],
        resources={"limits": {"cpu": "1500m"}},
    )
    reader = pod("reader", container)
    reader["metadata"]["annotations"] = {"team": "logs"}

    space.apply(config_map("flags", LOGS_READ_NEW="10"), config_map("all", MODE="dual"), secret("keys", value="s3"))
    space.apply(reader)

    assert space.finish("reader") == ["Succeeded"]
    expected = "seen|seen and $(PLAIN)|10|s3|unset|reader|logs|sandbox|1500|dual|reader"
    assert space.kubectl("logs", "reader").strip() == expected


def test_volumes_are_found_below_the_root_of_the_pod(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)
    downward = {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}
    projected = {
        "sources": [{"serviceAccountToken": {"path": "token", "audience": "elsewhere"}}, {"downwardAPI": downward}]
    }
    volumes = [
        {"name": "flags", "configMap": {"name": "flags", "items": [{"key": "a", "path": "deep/b"}]}},
        {"name": "keys", "secret": {"secretName": "keys"}},
        {"name": "mixed", "projected": projected},
        {"name": "scratch", "emptyDir": {}},
    ]
    mounts = [{"name": volume["name"], "mountPath": f"/mnt/{volume['name']}"} for volume in volumes]
    script = "cd $FIRELIFT_POD_ROOT/mnt; cat flags/deep/b keys/k mixed/labels; cut -d. -f2 mixed/token | base64 -d"
    reader = pod("reader", shell(f"{script} 2>/dev/null; touch scratch/x", volumeMounts=mounts), volumes=volumes)
    reader["metadata"]["labels"] = {"app": "demo"}

    space.apply(config_map("flags", a="1\n"), secret("keys", k="2\n"), reader)

    assert space.finish("reader") == ["Succeeded"]
    said = space.kubectl("logs", "reader")
    assert said.startswith('1\n2\napp="demo"')
    assert '"aud":["elsewhere"]' in said
    assert f"system:serviceaccount:{namespace}:default" in said


def test_a_changed_config_map_reaches_a_mounted_volume_of_a_running_pod(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)
    volumes = [{"name": "flags", "configMap": {"name": "flags"}}]
    script = "until grep -q new $FIRELIFT_POD_ROOT/flags/mode; do sleep 0.1; done; echo switched"
    container = shell(script, volumeMounts=[{"name": "flags", "mountPath": "/flags"}])
    space.apply(config_map("flags", mode="old"), pod("watcher", container, volumes=volumes))
    eventually(lambda: space.phase("watcher") == "Running")

    space.apply(config_map("flags", mode="new"))

    assert space.finish("watcher") == ["Succeeded"]


def test_a_pod_waits_with_the_reason_until_what_it_refers_to_exists(sandbox: Sandbox, namespace: str) -> None:
    space = Namespace(sandbox, namespace)
    space.apply(pod("reader", shell("true", envFrom=[{"configMapRef": {"name": "late"}}])))

    def reason() -> Json | None:
        waiting: Json | None = space.container("reader").get("state", {}).get("waiting")
        return waiting if waiting and waiting["reason"] == "CreateContainerConfigError" else None

    assert eventually(reason)["message"] == f'ConfigMap "late" not found in namespace {namespace}'
    space.apply(config_map("late", a="1"))
    assert space.finish("reader") == ["Succeeded"]
