"""Two environments that were given one state."""

from __future__ import annotations

from dataclasses import replace

from tests.e2e.ground import Ground

BACKEND = {"gcs": {"bucket": "acme-terraform-state", "prefix": "prod"}}


def test_of_the_younger_one_nothing_is_planned_and_its_status_names_the_older_one(ground: Ground) -> None:
    ground.apply(ground.manifest(suspend=True, terraform={"backend": BACKEND}))
    ground.until_reason("Suspended")
    younger = replace(ground, name="staging")
    younger.apply(younger.manifest(terraform={"backend": {"gcs": {**BACKEND["gcs"], "prefix": "prod/"}}}))
    refused = younger.until_reason("InvalidSpec")
    assert f"gs://acme-terraform-state/prod is the state of environment {ground.namespace}/prod" in refused["message"]
    assert "plan" not in refused
    assert ground.status()["reason"] == "Suspended"
