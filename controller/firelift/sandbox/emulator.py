"""The Firestore emulator: where it is found, and one running instance."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from firelift.sandbox.ports import answers, free_port
from firelift.sandbox.processes import Process, Supervisor

_MAIN_CLASS = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
_JAR_IN_SDK = Path("platform/cloud-firestore-emulator/cloud-firestore-emulator.jar")
_SDK_ROOTS = (
    "/usr/lib/google-cloud-sdk",
    "/usr/share/google-cloud-sdk",
    "/opt/google-cloud-sdk",
    "/snap/google-cloud-cli/current",
)
_READY_SECONDS = 180.0  # 3 to 8 s on an idle machine of two cores; a loaded one may need many times that
_HEAP = "-Xmx2g"
_REMEDY = (
    "Install it with 'gcloud components install cloud-firestore-emulator' (or the package "
    "google-cloud-cli-firestore-emulator), or with 'firebase setup:emulators:firestore', or set FIRESTORE_EMULATOR "
    "to the path of its launcher or its .jar."
)


class EmulatorMissingError(RuntimeError):
    """No Firestore emulator, or no Java to run it; the message names the remedy."""


def emulator_command(environment: Mapping[str, str], *, system_roots: Sequence[str] = _SDK_ROOTS) -> list[str]:
    """Return the command that runs the emulator, without its host and port.

    Looked for in this order: `FIRESTORE_EMULATOR` (a launcher or a .jar), the gcloud SDK (beside `gcloud` on PATH, then
    in `system_roots`), the Firebase CLI's cache.

    Raises:
        EmulatorMissingError: with the sentence that says what to install.
    """
    chosen = environment.get("FIRESTORE_EMULATOR")
    if chosen and not Path(chosen).is_file():
        raise EmulatorMissingError(f"FIRESTORE_EMULATOR is {chosen}, and there is no such file. {_REMEDY}")
    if chosen and not chosen.endswith(".jar"):
        return [chosen, "start"]
    jar = Path(chosen) if chosen else next(_installed_jars(environment, system_roots), None)
    if jar is None:
        raise EmulatorMissingError(f"The Firestore emulator was not found. {_REMEDY}")
    return [_java(environment), _HEAP, "-XX:+UseSerialGC", "-Duser.language=en", "-cp", str(jar), _MAIN_CLASS, "start"]


def _installed_jars(environment: Mapping[str, str], system_roots: Sequence[str]) -> Iterator[Path]:
    gcloud = shutil.which("gcloud", path=environment.get("PATH"))
    beside_gcloud = [str(Path(gcloud).resolve().parent.parent)] if gcloud else []
    home = Path(environment.get("HOME", "/"))
    roots = [*beside_gcloud, *system_roots, str(home / "google-cloud-sdk")]
    yield from (jar for root in roots if (jar := Path(root) / _JAR_IN_SDK).is_file())
    firebase = environment.get("FIREBASE_EMULATORS_PATH", str(home / ".cache/firebase/emulators"))
    yield from sorted(Path(firebase).glob("cloud-firestore-emulator-v*.jar"), reverse=True)


def _java(environment: Mapping[str, str]) -> str:
    home = environment.get("JAVA_HOME")
    java = str(Path(home) / "bin/java") if home else shutil.which("java", path=environment.get("PATH"))
    if java is None or not Path(java).is_file():
        raise EmulatorMissingError(
            f"The Firestore emulator needs Java, and {java or 'java'} was not found. "
            "Install a JRE of version 11 or later (for example openjdk-17-jre-headless), or set JAVA_HOME."
        )
    return java


class Emulator:
    """One emulator in memory, empty at its start; every project id is a world of its own."""

    def __init__(self, supervisor: Supervisor) -> None:
        """Start it on a free port; `wait` tells when it serves."""
        self._port = free_port()
        command = [*emulator_command(os.environ), "--host=127.0.0.1", f"--port={self._port}"]
        self.process: Process = supervisor.start("firestore-emulator", command)

    @property
    def host(self) -> str:
        """`127.0.0.1:port`, the value of FIRESTORE_EMULATOR_HOST."""
        return f"127.0.0.1:{self._port}"

    def wait(self) -> None:
        """Wait until it answers.

        Raises:
            ProcessError: it ended or was not ready in time.
        """
        self.process.wait_until(lambda: answers(self._port, "/"), seconds=_READY_SECONDS)
