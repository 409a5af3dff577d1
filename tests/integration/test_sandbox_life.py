import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.sandbox_objects import Namespace, pod, shell
from tests.waiting import eventually

from firelift.sandbox.emulator import Emulator
from firelift.sandbox.marks import CONTAINER_MARK, SANDBOX_MARK, find
from firelift.sandbox.processes import ProcessError, Supervisor
from firelift.sandbox.sandbox import Sandbox

OWNER = """
import sys, time
from pathlib import Path
from firelift.sandbox.processes import Supervisor
supervisor = Supervisor(Path(sys.argv[1]), remove=True)
supervisor.start("child", ["/bin/sh", "-c", "setsid sleep 600 & sleep 600"])
print(supervisor.sandbox_id, flush=True)
time.sleep(600)
"""


def test_a_stopped_sandbox_leaves_no_process_and_no_file(emulator_process: Emulator) -> None:
    with Sandbox(emulator=emulator_process) as sandbox:
        space = Namespace(sandbox, "default")
        space.apply(pod("left", shell("setsid sleep 600 & sleep 600")))
        eventually(lambda: space.phase("left") == "Running")
        assert len(find(SANDBOX_MARK, sandbox.supervisor.sandbox_id)) >= 6

    assert find(SANDBOX_MARK, sandbox.supervisor.sandbox_id) == []
    assert not sandbox.directory.exists()
    assert emulator_process.process.running


def test_a_killed_owner_takes_everything_with_it(tmp_path: Path) -> None:
    directory = tmp_path / "sandbox"
    with subprocess.Popen([sys.executable, "-c", OWNER, str(directory)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        sandbox_id = owner.stdout.readline().strip()
        eventually(lambda: len(find(SANDBOX_MARK, sandbox_id)) >= 2)

        owner.kill()

    eventually(lambda: not find(SANDBOX_MARK, sandbox_id) and not directory.exists())


def test_pods_of_a_killed_kubelet_fail_and_the_next_one_goes_on(emulator_process: Emulator) -> None:
    with Sandbox(emulator=emulator_process) as sandbox:
        space = Namespace(sandbox, "default")
        space.apply(pod("orphan", shell("sleep 600")))
        eventually(lambda: space.phase("orphan") == "Running")
        container_id = space.container("orphan")["containerID"]
        space.apply(pod("leaving", shell("trap '' TERM; sleep 600")))
        eventually(lambda: space.phase("leaving") == "Running")
        space.kubectl("delete", "pod", "leaving", "--wait=false")

        sandbox.kubelet.kill()
        sandbox.start_kubelet()

        assert space.finish("orphan") == ["Failed"]
        assert space.container("orphan")["state"]["terminated"]["reason"] == "ContainerStatusUnknown"
        assert find(CONTAINER_MARK, container_id) == []
        eventually(lambda: "leaving" not in space.kubectl("get", "pods"), seconds=20)
        space.apply(pod("next", shell("true")))
        assert space.finish("next") == ["Succeeded"]


def test_a_component_that_ends_says_so_with_the_end_of_its_log(tmp_path: Path) -> None:
    with Supervisor(tmp_path, remove=False) as supervisor:
        process = supervisor.start("broken", ["/bin/sh", "-c", "echo no such disk; exit 4"])
        with pytest.raises(ProcessError, match=r"(?s)broken ended with code 4 .*no such disk"):
            process.wait_until(lambda: False, seconds=30)


def test_a_component_that_is_not_ready_in_time_is_named_with_its_pid(tmp_path: Path) -> None:
    with Supervisor(tmp_path, remove=False) as supervisor:
        process = supervisor.start("slow", ["sleep", "600"])
        with pytest.raises(ProcessError, match=rf"slow \(pid {process.pid}\) was not ready within 0.2 s"):
            process.wait_until(lambda: False, seconds=0.2)


def test_a_paused_process_is_frozen_until_it_is_resumed(tmp_path: Path) -> None:
    with Supervisor(tmp_path, remove=False) as supervisor:
        process = supervisor.start("frozen", ["sleep", "600"])
        process.pause()
        assert eventually(lambda: state(process.pid) == "T")
        process.resume()
        assert eventually(lambda: state(process.pid) == "S")
        os.kill(process.pid, signal.SIGTERM)
        eventually(lambda: not process.running)


def state(pid: int) -> str:
    """The one-letter state that the kernel shows."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
