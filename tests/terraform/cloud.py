"""The Google Cloud stand-in as these tests see it: what it keeps, what it was asked, and what shall go wrong."""

import json
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from firelift.sandbox.google_cloud import GoogleCloud, provider_environment
from firelift.sandbox.processes import Supervisor


class Cloud:
    """REST calls as somebody beside Terraform makes them, and the control API; a test has a project to itself."""

    def __init__(self, google: GoogleCloud, project: str) -> None:
        self._google = google
        self.project = project

    @property
    def url(self) -> str:
        """The address of the REST APIs."""
        return self._google.rest_url

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point the provider here."""
        return provider_environment(self._google.rest_url)

    def call(self, verb: str, path: str, body: Any = None) -> Any:
        """Make one REST call and return its answer; PROJECT in the path is the test's."""
        return _request(verb, f"{self._google.rest_url}/{path.replace('PROJECT', self.project)}", body)

    def exists(self, path: str) -> bool:
        """Tell whether a GET finds something."""
        try:
            self.call("GET", path)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return False
            raise
        return True

    def fault(self, **fault: Any) -> None:
        """Put a fault in force for what concerns the test's project."""
        _request("POST", f"{self._google.control_url}/faults", {"match": self.project, **fault})

    def building(self, **seconds: float) -> None:
        """Say how long databases, indexes and fields are built from now on."""
        _request("POST", f"{self._google.control_url}/builds", seconds)

    def healed(self) -> None:
        """End every fault, and let everything be built at once."""
        _request("DELETE", f"{self._google.control_url}/faults")
        self.building(database_seconds=0, index_seconds=0, field_seconds=0, ttl_seconds=0)

    def asked(self) -> list[str]:
        """Return the calls about the test's project, as `Method CODE`, oldest first."""
        return [f"{each['method']} {each['code']}" for each in self._requests()]

    def spans(self, method: str) -> list[tuple[datetime, datetime]]:
        """Return when each call of a method about the test's project began and ended, in order of their ends."""
        ends = [
            (datetime.fromisoformat(each["time"]), timedelta(milliseconds=each["milliseconds"]))
            for each in self._requests()
            if each["method"] == method
        ]
        return [(end - lasted, end) for end, lasted in ends]

    def _requests(self) -> list[Any]:
        report = _request("GET", f"{self._google.control_url}/requests")
        return [each for each in report["requests"] if self.project in each["detail"]]


def _request(verb: str, url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": "Bearer test", "Content-Type": "application/json"}
    request = urllib.request.Request(url, data=data, headers=headers, method=verb)  # noqa: S310  # the stand-in's own
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # address
        content = answer.read()
        return json.loads(content) if content else None


@contextmanager
def stand_in() -> Iterator[GoogleCloud]:
    """Google Cloud's stand-in, with a state of its own and no documents."""
    directory = Path(tempfile.mkdtemp(prefix="firelift-google-"))
    with Supervisor(directory, remove=True) as supervisor:
        google = GoogleCloud(supervisor, directory / "google", firestore_host="")
        google.wait()
        yield google
