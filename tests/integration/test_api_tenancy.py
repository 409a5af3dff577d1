"""The API server refuses what a namespace may not touch, and whose identity a person may not use."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.manifests import REMOVE, Edit, Manifest, edited, environment, rollout
from tests.tenancy_table import ALLOWED, DATABASE, EXPORT, PROJECT, ROWS
from tests.waiting import eventually

from firelift.api.tenancy import BUCKETS, DATABASES, LONGEST
from firelift.sandbox.helm import CHART, run_helm
from firelift.sandbox.kubectl import KubectlError
from firelift.sandbox.sandbox import Sandbox

_ELSEWHERE = {DATABASES: "gym-prod/*"}
_PLACE: list[Edit] = [("spec.database", {"project": PROJECT, "name": DATABASE})]
_GROUND: list[Edit] = [("spec.project.id", PROJECT), ("spec.database.name", DATABASE)]
_ADMIN = ""


class _Spaces:
    """Namespaces with annotations, and what is answered to who asks for something in them; nothing is stored."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.made: list[str] = []
        self.users: dict[str, Path] = {}

    def make(self, name: str, annotations: dict[str, str]) -> str:
        full = f"tenancy-{name}"
        document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": full, "annotations": annotations}}
        self.sandbox.kubectl("create", "-f", "-", stdin=json.dumps(document))
        self.made.append(full)
        return full

    def ask(self, namespace: str, manifest: Manifest, user: str = _ADMIN, *, verb: str = "create") -> str:
        arguments = (verb, f"--namespace={namespace}", "--dry-run=server", "-f", "-")
        try:
            return self.sandbox.kubectl(*arguments, stdin=json.dumps(manifest), kubeconfig=self.users.get(user))
        except KubectlError as refused:
            return str(refused)

    def person(self, user: str, namespace: str, *roles: str) -> None:
        self.users[user] = self.sandbox.control_plane.client_kubeconfig(f"tenancy-{user}", user)
        for role in roles:
            name = f"{user}-{role.rpartition('=')[2]}"
            self.sandbox.kubectl(
                "create", "rolebinding", name, f"--namespace={namespace}", f"--user={user}", f"--{role}"
            )


@pytest.fixture(scope="module")
def spaces(sandbox: Sandbox) -> Iterator[_Spaces]:
    sandbox.install_crds()
    sandbox.install_manifests()
    made = _Spaces(sandbox)
    elsewhere = made.make("elsewhere", _ELSEWHERE)
    # A new policy is in force after a moment; the last of its kind stands for both.
    for manifest in (rollout(*_PLACE), environment(*_GROUND)):
        eventually(lambda manifest=manifest: "may not touch" in made.ask(elsewhere, manifest))  # type: ignore[misc] # of this turn of the loop
    yield made
    for name in made.made:
        sandbox.kubectl("delete", "namespace", name, "--wait=false")


def _exporting(*edits: Edit) -> Manifest:
    first = {"backup": {"export": {"bucket": EXPORT}}}
    plain = rollout(*_PLACE)
    steps = [first, *plain["spec"]["phases"][0]["steps"]]
    return edited(plain, ("spec.phases.0.steps", steps), *edits)


# The annotations


def test_what_an_annotation_allows_a_rollout_is_what_the_operator_makes_of_it(spaces: _Spaces) -> None:
    for number, (name, row) in enumerate(ROWS.items()):
        answer = spaces.ask(spaces.make(f"row-{number}", row.annotations), _exporting())
        expected = row.database or row.bucket
        assert (expected or "created (server dry run)") in answer, name
        assert ("may not touch" in answer) == bool(expected), name


@pytest.mark.parametrize("last", ["shop-backups/*", "gym-backups/*"])
def test_the_longest_annotations_are_read_for_the_largest_rollout(spaces: _Spaces, last: str) -> None:
    buckets = " ".join(f"b{number:03}-backups-of-a-team/*" for number in range(LONGEST // 26 - 1))
    databases = " ".join(["gym-prod/reservations"] * 185 + [f"{PROJECT}/*"])
    namespace = spaces.make(f"long-{last[:3]}", {DATABASES: databases, BUCKETS: f"{buckets} {last}"})
    exporting = {"backup": {"export": {"bucket": EXPORT}}}
    steps = [{**exporting, "name": f"copy-{number}"} for number in range(12)]
    phases = [{"name": f"phase-{number}", "steps": steps} for number in range(15)]
    whole = edited(rollout(*_PLACE), ("spec.phases", [*phases, {"name": "all", "steps": steps}]), ("spec.gates", []))

    answer = spaces.ask(namespace, whole)

    assert ("created (server dry run)" if last == "shop-backups/*" else "phase-0 exports to or restores from") in answer


@pytest.mark.parametrize(
    ("annotations", "prefix", "answer"),
    [
        ({}, "", "created (server dry run)"),
        (_ELSEWHERE, "", f"spec.database: namespace {{}} may not touch database {PROJECT}/{DATABASE}: its annotation"),
        (ALLOWED, "", f"may not touch bucket states/{{}}/right: it has no annotation {BUCKETS}"),
        (ALLOWED | {BUCKETS: "states/*"}, "", "created (server dry run)"),
        (ALLOWED | {BUCKETS: "states/shop/*"}, "shop/ground", "created (server dry run)"),
        (ALLOWED | {BUCKETS: "states/shop/*"}, "shop", "created (server dry run)"),
        (ALLOWED | {BUCKETS: "states/shop/*"}, "shop/", "created (server dry run)"),
        (ALLOWED | {BUCKETS: "states/shop/*"}, "shopping", f"its annotation {BUCKETS} allows states/shop/*"),
        (ALLOWED | {BUCKETS: "states/shop/*"}, "shop/../gym", "each beginning with a letter or digit"),
    ],
)
def test_an_environment_is_bound_by_its_database_and_the_place_of_its_state(
    spaces: _Spaces, annotations: dict[str, str], prefix: str, answer: str
) -> None:
    namespace = spaces.make(f"ground-{len(spaces.made)}", annotations)
    backend = {"gcs": {"bucket": "states", **({"prefix": prefix} if prefix else {})}}
    said = spaces.ask(namespace, environment(*_GROUND, ("spec.terraform", {"backend": backend})))
    assert answer.format(namespace) in said


def test_an_operator_that_requires_tenancy_asks_for_it_in_its_own_namespaces_only(
    spaces: _Spaces, tmp_path: Path
) -> None:
    required, free = spaces.make("required", {}), spaces.make("free", {})
    values = {"tenancy": {"required": True}, "watchNamespaces": [required], "clusterID": "c"}
    shown = ("--show-only=templates/tenancy-policy.yaml", "--values=-", "--namespace=firelift-shop")
    policies = run_helm("template", "shop", str(CHART), *shown, home=tmp_path, stdin=json.dumps(values))
    spaces.sandbox.kubectl("apply", "--server-side", "-f", "-", stdin=policies)

    asked = "it has no annotation firelift.dev/databases, and the chart's tenancy.required asks for it"
    eventually(lambda: asked in spaces.ask(required, rollout(*_PLACE)))
    assert "created (server dry run)" in spaces.ask(free, rollout(*_PLACE))
    spaces.sandbox.kubectl("delete", "-f", "-", stdin=policies)


# What is not allowed any more


@pytest.fixture(scope="module")
def withdrawn(spaces: _Spaces) -> str:
    """A namespace with a rollout and an environment that it may not touch any more."""
    namespace = spaces.make("withdrawn", ALLOWED)
    for manifest in (rollout(*_PLACE), environment(*_GROUND)):
        spaces.sandbox.kubectl("create", f"--namespace={namespace}", "-f", "-", stdin=json.dumps(manifest))
    spaces.sandbox.kubectl("annotate", "namespace", namespace, f"{DATABASES}=gym-prod/*", "--overwrite")
    eventually(lambda: "may not touch" in spaces.ask(namespace, rollout(*_PLACE, name="another")))
    return namespace


def _patched(spaces: _Spaces, namespace: str, plural: str, patch: Any, *more: str) -> str:
    asked = ("patch", plural, "right", f"--namespace={namespace}", "--dry-run=server", "--type=merge", *more)
    try:
        return spaces.sandbox.kubectl(*asked, "-p", json.dumps(patch))
    except KubectlError as refused:
        return str(refused)


@pytest.mark.parametrize(
    ("plural", "patch"),
    [
        ("migrationrollouts", {"spec": {"suspend": True}}),
        ("migrationrollouts", {"spec": {"intent": "Revert", "revertTo": "RolloutStart"}}),
        ("migrationrollouts", {"spec": {"attempt": 2}}),
        ("migrationrollouts", {"spec": {"deletionPolicy": "Revert"}}),
        ("migrationrollouts", {"metadata": {"finalizers": ["firelift.dev/way-back"], "labels": {"a": "b"}}}),
        ("firestoreenvironments", {"spec": {"suspend": True, "attempt": 3}}),
        ("firestoreenvironments", {"spec": {"terraform": {"deletionPolicy": "Destroy"}}}),
        ("firestoreenvironments", {"metadata": {"finalizers": ["firelift.dev/way-back"]}}),
    ],
)
def test_an_object_that_is_not_allowed_any_more_can_be_held_taken_back_and_let_go(
    spaces: _Spaces, withdrawn: str, plural: str, patch: Any
) -> None:
    assert "patched" in _patched(spaces, withdrawn, plural, patch)


@pytest.mark.parametrize(
    ("plural", "patch"),
    [
        ("migrationrollouts", {"spec": {"pace": {"maxWritesPerSecond": 7}}}),
        ("migrationrollouts", {"spec": {"suspend": True, "promotesTo": None}}),
        ("firestoreenvironments", {"spec": {"terraform": {"timeoutSeconds": 600}}}),
        ("firestoreenvironments", {"spec": {"database": {"pointInTimeRecovery": False}}}),
    ],
)
def test_an_object_that_is_not_allowed_any_more_cannot_ask_for_anything_else(
    spaces: _Spaces, withdrawn: str, plural: str, patch: Any
) -> None:
    said = _patched(spaces, withdrawn, plural, patch)
    assert f"may not touch database {PROJECT}/{DATABASE}: its annotation {DATABASES} allows gym-prod/*" in said


def test_its_status_is_written_and_it_can_be_deleted(spaces: _Spaces, withdrawn: str) -> None:
    status = {"status": {"message": "held"}}
    for plural in ("migrationrollouts", "firestoreenvironments"):
        assert "patched" in _patched(spaces, withdrawn, plural, status, "--subresource=status")
        spaces.sandbox.kubectl("delete", plural, "right", f"--namespace={withdrawn}", "--dry-run=server")


# Whose identity


@pytest.fixture(scope="module")
def shop(spaces: _Spaces) -> str:
    """Ada may edit; eve may write Firelift's objects and nothing else."""
    namespace = spaces.make("shop", {})
    spaces.person("ada", namespace, "clusterrole=edit")
    spaces.person("eve", namespace, "clusterrole=firelift-edit", "clusterrole=firelift-view")
    mover = ("spec.worker.serviceAccountName", "mover")
    named = environment(("spec.terraform", {"credentials": {"secretName": "owner"}}), name="named")
    for manifest in (rollout(mover, name="moved"), named):
        spaces.sandbox.kubectl("create", f"--namespace={namespace}", "-f", "-", stdin=json.dumps(manifest))
    eventually(lambda: "(server dry run)" in spaces.ask(namespace, rollout(name="first"), "ada"))
    eventually(lambda: "(server dry run)" in spaces.ask(namespace, rollout(name="first"), "eve"))
    return namespace


_REFUSED = "eve must be allowed the verb impersonate on ServiceAccount {} in namespace tenancy-shop to say what runs"


@pytest.mark.parametrize(
    ("user", "account", "answer"),
    [
        ("ada", "mover", "created (server dry run)"),
        ("eve", "mover", _REFUSED.format("mover")),
        ("eve", "default", "created (server dry run)"),
        ("eve", "", "created (server dry run)"),
    ],
)
def test_who_may_not_act_as_a_service_account_lets_no_worker_run_as_it(
    spaces: _Spaces, shop: str, user: str, account: str, answer: str
) -> None:
    assert answer in spaces.ask(shop, rollout(("spec.worker.serviceAccountName", account)), user)


@pytest.mark.parametrize(
    ("edit", "answer"),
    [
        (("spec.worker.parallelism", 3), "configured (server dry run)"),
        (("spec.pace", {"maxWritesPerSecond": 7}), "configured (server dry run)"),
        (("spec.worker.serviceAccountName", REMOVE), "configured (server dry run)"),
        (("spec.worker.serviceAccountName", "another"), _REFUSED.format("another")),
        (("spec.worker.image", "eve/tool:1"), _REFUSED.format("mover")),
        (("spec.worker.env", [{"name": "PYTHONPATH", "value": "/eve"}]), _REFUSED.format("mover")),
    ],
)
def test_who_edits_a_rollout_is_asked_for_the_account_only_when_what_runs_as_it_changes(
    spaces: _Spaces, shop: str, edit: Edit, answer: str
) -> None:
    moved = rollout(("spec.worker.serviceAccountName", "mover"), edit, name="moved")
    kept = json.loads(spaces.sandbox.kubectl("get", "migrationrollouts", "moved", f"--namespace={shop}", "-o", "json"))
    moved["metadata"] = {"name": "moved", "resourceVersion": kept["metadata"]["resourceVersion"]}
    said = spaces.ask(shop, moved, "eve", verb="replace")
    assert answer.replace("configured", "replaced") in said


@pytest.mark.parametrize(
    ("user", "secret", "answer"),
    [
        ("ada", "owner", "created (server dry run)"),
        ("eve", "owner", "eve must be allowed the verb get on Secret owner in namespace tenancy-shop"),
        ("eve", "", "created (server dry run)"),
    ],
)
def test_who_may_not_read_credentials_has_no_terraform_act_with_them(
    spaces: _Spaces, shop: str, user: str, secret: str, answer: str
) -> None:
    assert answer in spaces.ask(shop, environment(("spec.terraform", {"credentials": {"secretName": secret}})), user)


def test_credentials_that_are_named_already_keep_nobody_from_an_edit(spaces: _Spaces, shop: str) -> None:
    terraform = {"credentials": {"secretName": "owner"}, "timeoutSeconds": 900}
    manifest = environment(("spec.terraform", terraform), name="named")
    kept = spaces.sandbox.kubectl("get", "firestoreenvironments", "named", f"--namespace={shop}", "-o", "json")
    manifest["metadata"] = {"name": "named", "resourceVersion": json.loads(kept)["metadata"]["resourceVersion"]}
    assert "replaced (server dry run)" in spaces.ask(shop, manifest, "eve", verb="replace")


def test_the_api_server_finds_nothing_wrong_with_the_types_of_the_policies(spaces: _Spaces) -> None:
    for kind in ("rollouts", "environments"):
        name = f"{kind}.tenancy.firelift.dev"

        def checked(name: str = name) -> Any:
            found = json.loads(spaces.sandbox.kubectl("get", "validatingadmissionpolicy", name, "-o", "json"))
            seen = found["status"].get("observedGeneration") == found["metadata"]["generation"]
            return found["status"] if seen else None

        assert not eventually(checked).get("typeChecking", {}).get("expressionWarnings")
