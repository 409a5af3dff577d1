import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from firelift.sandbox import helm, tools
from firelift.sandbox.builds import ToolsError, cache_directory
from firelift.sandbox.emulator import EmulatorMissingError, emulator_command
from firelift.sandbox.go import GoMissingError, find_go
from firelift.sandbox.helm import HelmError, ensure_helm, run_helm
from firelift.sandbox.kubectl import KubectlError, find_kubectl
from firelift.sandbox.tools import ensure_control_plane

GO = """#!/bin/sh
echo "go: downloading k8s.io/kubernetes" >&2
echo built >> "$COUNT"
sleep 0.5
mkdir -p "$GOBIN"
for name in server kube-apiserver kube-controller-manager; do
  echo '#!/bin/sh' > "$GOBIN/$name"; chmod +x "$GOBIN/$name"
done
"""
RACE = "from firelift.sandbox.tools import ensure_control_plane; print(ensure_control_plane().etcd)"


def executable(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"FIRELIFT_CACHE": "/a/b"}, "/a/b"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/firelift"),
        ({"FIRELIFT_CACHE": "/a", "XDG_CACHE_HOME": "/x"}, "/a"),
        ({}, str(Path.home() / ".cache/firelift")),
    ],
)
def test_the_cache_is_outside_the_checkout(environment: dict[str, str], expected: str) -> None:
    assert cache_directory(environment) == Path(expected)


def test_assets_that_the_developer_has_are_used_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("etcd", "kube-apiserver", "kube-controller-manager"):
        executable(tmp_path / name)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))

    assert ensure_control_plane().apiserver == tmp_path / "kube-apiserver"


def test_assets_that_are_incomplete_are_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(tmp_path / "etcd")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))

    with pytest.raises(
        ToolsError, match="no executable kube-apiserver, kube-controller-manager: KUBEBUILDER_ASSETS must"
    ):
        ensure_control_plane()


def race_environment(tmp_path: Path, go: str) -> dict[str, str]:
    executable(tmp_path / "bin/go", go)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    changed = {"PATH": path, "FIRELIFT_CACHE": str(tmp_path / "cache"), "COUNT": str(tmp_path / "count")}
    return {key: value for key, value in os.environ.items() if key != "KUBEBUILDER_ASSETS"} | changed


def test_two_runs_that_race_build_once(tmp_path: Path) -> None:
    environment = race_environment(tmp_path, GO)

    runs = [
        subprocess.Popen([sys.executable, "-c", RACE], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [run.communicate(timeout=60)[0] for run in runs]

    assert answers[0] == answers[1] != ""
    assert (tmp_path / "count").read_text() == "built\n"


def test_a_build_that_fails_shows_its_output_and_leaves_nothing_that_looks_finished(tmp_path: Path) -> None:
    environment = race_environment(tmp_path, "#!/bin/sh\necho 'no space left' >&2\nexit 3\n")

    run = subprocess.run([sys.executable, "-c", RACE], env=environment, capture_output=True, text=True, check=False)

    assert "ended with code 3" in run.stderr
    assert "no space left" in run.stderr
    assert [each.suffix for each in (tmp_path / "cache/control-plane").iterdir()] == [".lock"]


def test_an_installation_without_the_checkout_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setattr(tools, "MODULE", tmp_path / "tools/kubernetes")

    with pytest.raises(ToolsError, match="Clone the repository"):
        ensure_control_plane()


def test_a_helm_that_the_developer_has_is_used_and_keeps_its_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = executable(tmp_path / "bin/helm", '#!/bin/sh\necho "$HELM_CACHE_HOME" "$@"\n')
    monkeypatch.setenv("HELM_BIN", str(mine))

    assert ensure_helm() == mine
    assert run_helm("version", home=tmp_path) == f"{tmp_path}/cache version\n"


def test_a_helm_that_is_not_there_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELM_BIN", str(tmp_path / "none"))

    with pytest.raises(ToolsError, match="none, which cannot be run: set it to the path of a helm"):
        ensure_helm()


def test_what_helm_refuses_is_said_in_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELM_BIN", str(executable(tmp_path / "helm", "#!/bin/sh\necho 'no such chart' >&2\nexit 1\n")))

    with pytest.raises(HelmError, match="helm lint x ended with code 1: no such chart"):
        run_helm("lint", "x", home=tmp_path)


def test_helm_is_built_from_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HELM_BIN", raising=False)
    monkeypatch.setattr(helm, "MODULE", tmp_path / "tools/helm")

    with pytest.raises(ToolsError, match=r"Clone the repository .* or set HELM_BIN"):
        ensure_helm()


def test_go_on_path_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = executable(tmp_path / "bin/go")
    monkeypatch.setenv("PATH", str(go.parent))

    assert find_go(tmp_path / "cache") == str(go)


def test_go_that_cannot_be_fetched_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    blocked = tmp_path / "cache"
    blocked.write_text("a file where the cache should be")

    with pytest.raises(GoMissingError, match=r"Install Go 1\.26 or later"):
        find_go(blocked)


def test_kubectl_that_is_missing_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECTL", "/none/kubectl")

    with pytest.raises(KubectlError, match=r"/none/kubectl was not found\. Install kubectl"):
        find_kubectl()


def test_a_launcher_is_used_as_it_is(tmp_path: Path) -> None:
    launcher = executable(tmp_path / "emulator")

    assert emulator_command({"FIRESTORE_EMULATOR": str(launcher)}) == [str(launcher), "start"]


@pytest.mark.parametrize("home", ["sdk", "firebase", "named"])
def test_the_emulator_is_found_in_its_usual_places(tmp_path: Path, home: str) -> None:
    java = executable(tmp_path / "bin/java")
    places = {
        "sdk": "sdk/platform/cloud-firestore-emulator/cloud-firestore-emulator.jar",
        "firebase": ".cache/firebase/emulators/cloud-firestore-emulator-v1.19.8.jar",
        "named": "elsewhere/emulator.jar",
    }
    jar = executable(tmp_path / places[home])
    environment = {"PATH": str(java.parent), "HOME": str(tmp_path)}
    if home == "sdk":
        executable(tmp_path / "sdk/bin/gcloud")
        environment["PATH"] += f"{os.pathsep}{tmp_path / 'sdk/bin'}"
    if home == "named":
        environment["FIRESTORE_EMULATOR"] = str(jar)

    command = emulator_command(environment, system_roots=())

    assert (command[0], command[-1]) == (str(java), "start")
    assert str(jar) in command
    assert "-Xmx2g" in command


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "was not found. Install it with 'gcloud components install cloud-firestore-emulator'"),
        ({"FIRESTORE_EMULATOR": "/none.jar"}, "FIRESTORE_EMULATOR is /none.jar, and there is no such file"),
    ],
)
def test_a_missing_emulator_is_a_sentence_with_the_remedy(
    tmp_path: Path, environment: dict[str, str], sentence: str
) -> None:
    with pytest.raises(EmulatorMissingError) as missing:
        emulator_command({"PATH": str(tmp_path), "HOME": str(tmp_path), **environment}, system_roots=())

    assert sentence in str(missing.value)


def test_an_emulator_without_java_names_java(tmp_path: Path) -> None:
    jar = executable(tmp_path / "emulator.jar")

    with pytest.raises(EmulatorMissingError, match="needs Java, and java was not found"):
        emulator_command({"PATH": str(tmp_path), "FIRESTORE_EMULATOR": str(jar)}, system_roots=())
