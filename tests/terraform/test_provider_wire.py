"""The provider sends what the real hashicorp/google 7.45.0 was seen to send."""

import json
import re
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from tests.terraform.cloud import Cloud
from tests.terraform.configuration import Configuration
from tests.terraform.recorder import Request, recording

SHARED = Path(__file__).resolve().parents[3] / "shared"
RECORDED = SHARED / "reference/google-provider-wire.jsonl"
CONFIGURATION = SHARED / "prototypes/offline_provider.tf"
# What a server has chosen, by the collection that it is in.
_CHOSEN = re.compile(
    r"(notificationChannels|alertPolicies|dashboards|budgets|indexes|backupSchedules|rulesets)/[A-Za-z0-9-]+"
)


@pytest.mark.skipif(not RECORDED.is_file(), reason="the recording of the real provider is not beside this checkout")
def test_every_write_is_one_that_the_real_provider_made(terraform: Configuration, cloud: Cloud) -> None:
    with recording(cloud.url) as (url, seen):
        terraform.replace(re.sub(r"http://127\.0\.0\.1:\d+", url, CONFIGURATION.read_text()))
        terraform.apply()
        assert terraform.changes() == {}
        terraform.destroy()

    real = [json.loads(line) for line in RECORDED.read_text().splitlines()]
    expected = [Request(each["m"], f"{each['path']}?{urlencode(each['query'])}", each["req"]) for each in real]
    assert _writes(seen) == _writes(expected)


def _writes(requests: list[Request]) -> Counter[str]:
    """Count the writes; reads may be more or fewer."""
    return Counter(_told(each) for each in requests if each.method != "GET" and ":getIamPolicy" not in each.path)


def _told(request: Request) -> str:
    """Return a write under names that do not depend on the server."""
    path = urlsplit(request.path)
    query = {name: value for name, value in parse_qsl(path.query) if name not in ("alt", "prettyPrint")}
    body = re.sub(r'"etag": "[^"]*"', '"etag"', json.dumps(_asked(request.body), sort_keys=True))
    return _CHOSEN.sub(r"\1/it", f"{request.method} {path.path} {json.dumps(query, sort_keys=True)} {body}")


def _asked(body: object) -> object:
    """Leave out the names of conditions: the recording's server has written them into the requests."""
    if isinstance(body, dict) and "conditions" in body:
        conditions = [{key: value for key, value in each.items() if key != "name"} for each in body["conditions"]]
        return {**body, "conditions": conditions}
    return body
