"""Terraform as a library would be: planned, kept, applied as planned, bounded in time, and silent about secrets.

`protocol.TerraformRunner` is what callers need; `runner.PythonTerraformRunner` is it on python-terraform and the real
binary; `workspace.Workspaces` gives each run a directory of its own.
"""
