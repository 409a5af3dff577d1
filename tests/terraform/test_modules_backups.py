"""Backup schedules that the module `firestore` makes, before the stand-in: one at a time, with addresses that moved."""

import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from tests.terraform.cloud import Cloud
from tests.terraform.configuration import Configuration
from tests.terraform.readmes import ROOT

from firelift.sandbox.google_cloud import GoogleCloud

MAIN = """
module "firestore" {
  source     = "../firestore"
  project_id = "PROJECT"
  database = {
    name     = "orders"
    location = "nam5"
    backups  = { daily = { retention_days = 7 }, weekly = { day = "SUNDAY", retention_days = 98 } }
    delete_protection = false
  }
}
"""
SCHEDULES = "fs/v1/projects/PROJECT/databases/orders/backupSchedules"
AS_IT_WAS = """
resource "google_firestore_backup_schedule" "this" {
  for_each  = { for name, schedule in var.database.backups : name => schedule if schedule != null }
  project   = var.project_id
  database  = google_firestore_database.this.name
  retention = "${each.value.retention_days * 24 * 60 * 60}s"

  dynamic "daily_recurrence" {
    for_each = each.key == "daily" ? [each.value] : []
    content {}
  }
  dynamic "weekly_recurrence" {
    for_each = each.key == "weekly" ? [each.value] : []
    content {
      day = weekly_recurrence.value.day
    }
  }
}
"""


class Scheduled(Configuration):
    """A database with both schedules; `backups` is the module's file of them, where it is not its own."""

    def __init__(self, directory: Path, mirror: Path, cloud: Cloud, backups: str = "") -> None:
        self.module = Path(shutil.copytree(ROOT / "terraform" / "modules" / "firestore", directory / "firestore"))
        self.own = (self.module / "backups.tf").read_text()
        if backups:
            (self.module / "backups.tf").write_text(backups)
        root = directory / "root"
        root.mkdir()
        (root / "main.tf").write_text(MAIN.replace("PROJECT", cloud.project))
        super().__init__(root, mirror, cloud.environment)
        self.run("init")


@pytest.fixture
def cloud(google: GoogleCloud, request: pytest.FixtureRequest) -> Cloud:
    return Cloud(google, request.node.name.replace("_", "-")[5:35].strip("-"))


def test_one_schedule_is_made_and_deleted_at_a_time(tmp_path: Path, provider_mirror: Path, cloud: Cloud) -> None:
    made = Scheduled(tmp_path, provider_mirror, cloud)
    cloud.fault(method="CreateBackupSchedule", latency_ms=1000)
    cloud.fault(method="DeleteBackupSchedule", latency_ms=1000)
    made.apply()
    assert len(cloud.call("GET", SCHEDULES)["backupSchedules"]) == 2
    made.run("destroy", "-auto-approve")
    cloud.healed()

    for method in ("CreateBackupSchedule", "DeleteBackupSchedule"):
        spans = cloud.spans(method)
        assert len(spans) == 2
        assert all(first[1] <= second[0] for first, second in pairwise(spans)), f"two {method} at once"


def test_a_weekly_schedule_of_before_moves_and_is_not_replaced(
    tmp_path: Path, provider_mirror: Path, cloud: Cloud
) -> None:
    made = Scheduled(tmp_path, provider_mirror, cloud, AS_IT_WAS)
    made.apply()
    before = {each["name"] for each in cloud.call("GET", SCHEDULES)["backupSchedules"]}
    (made.module / "backups.tf").write_text(made.own)
    made.apply()

    assert {each["name"] for each in cloud.call("GET", SCHEDULES)["backupSchedules"]} == before
    assert made.changes() == {}
