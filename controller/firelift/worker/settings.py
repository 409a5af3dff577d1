"""What the Job tells its worker, by environment variables."""

from __future__ import annotations

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class WorkerSettings(BaseSettings):
    """`FIRELIFT_<NAME>`; the index also as Kubernetes names it. The store itself reads `FIRESTORE_EMULATOR_HOST`."""

    model_config = SettingsConfigDict(env_prefix="FIRELIFT_", frozen=True, extra="ignore")

    ledger: str
    run: str
    project: str
    database: str = "(default)"
    workers: int = Field(default=1, ge=1)
    memory_mib: int = Field(default=4096, ge=256)
    index: int = Field(default=0, ge=0, validation_alias=AliasChoices("FIRELIFT_INDEX", "JOB_COMPLETION_INDEX"))
