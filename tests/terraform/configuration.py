"""One root module on the real Terraform, with the provider mirror, in a directory of the test's own."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

SETTINGS = """\
terraform {
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.40.0, < 8.0.0"
    }
  }
}
provider "google" {
  project                         = "PROJECT"
  add_terraform_attribution_label = false
  poll_interval                   = "1s"
  batching {
    enable_batching = false
  }
}
"""
_TIMEOUT_SECONDS = 120


class TerraformFailed(AssertionError):
    """Terraform's own words about what went wrong."""


class Configuration:
    """HCL in a directory, and Terraform's answers about it."""

    def __init__(self, directory: Path, mirror: Path, environment: dict[str, str], project: str = "test") -> None:
        self.directory = directory
        self._project = project
        self._binary = os.environ.get("TERRAFORM_BIN") or shutil.which("terraform") or "terraform"
        rc = directory / "cli.tfrc"
        rc.write_text(f'provider_installation {{\n  filesystem_mirror {{ path = "{mirror}" }}\n}}\n')
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "GOOGLE_"))}
        own = {"TF_CLI_CONFIG_FILE": str(rc), "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
        self._environment = inherited | own | environment

    def write(self, hcl: str) -> None:
        """Replace the configuration; PROJECT in it is the test's, as in the paths of a Cloud."""
        self.replace((SETTINGS + hcl).replace("PROJECT", self._project))

    def replace(self, hcl: str) -> None:
        """Replace the configuration by one with settings of its own."""
        (self.directory / "main.tf").write_text(hcl)
        if not (self.directory / ".terraform").is_dir():
            self.run("init")

    def run(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        """Run Terraform and return what it said; any exit code but `codes` fails the test."""
        done = subprocess.run(
            [self._binary, *arguments, "-no-color"],
            cwd=self.directory,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
        if done.returncode not in codes:
            raise TerraformFailed(f"terraform {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}")
        return done

    def started(self, *arguments: str) -> subprocess.Popen[str]:
        """Start Terraform and return at once."""
        command = [self._binary, *arguments, "-no-color"]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=self.directory, env=self._environment, stdout=pipe, stderr=subprocess.STDOUT, text=True
        )

    def apply(self) -> None:
        """Apply without asking."""
        self.run("apply", "-auto-approve")

    def refused(self, *arguments: str) -> str:
        """Run what must fail, and return its error with the lines joined as a person reads them."""
        done = self.run(*(arguments or ("apply", "-auto-approve")), codes=(1,))
        return " ".join(done.stderr.replace("│", " ").split())

    def destroy(self) -> None:
        """Destroy without asking."""
        self.run("destroy", "-auto-approve")

    def changes(self) -> dict[str, list[str]]:
        """Plan, and return the actions by address; nothing when nothing would change."""
        self.run("plan", "-out=test.plan", "-detailed-exitcode", codes=(0, 2))
        plan = json.loads(self.run("show", "-json", "test.plan").stdout)
        changed = {change["address"]: change["change"]["actions"] for change in plan.get("resource_changes", [])}
        return {address: actions for address, actions in changed.items() if actions not in (["no-op"], ["read"])}

    def planned(self) -> dict[str, Any]:
        """Plan, and return the values by address as far as they are known."""
        self.run("plan", "-out=test.plan")
        plan = json.loads(self.run("show", "-json", "test.plan").stdout)
        return {change["address"]: change["change"]["after"] for change in plan["resource_changes"]}

    def state(self) -> dict[str, Any]:
        """Return the values of what is in the state, by address."""
        shown = json.loads(self.run("show", "-json").stdout)
        resources = shown.get("values", {}).get("root_module", {}).get("resources", [])
        return {each["address"]: each["values"] for each in resources}
