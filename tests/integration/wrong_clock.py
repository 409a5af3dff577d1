"""Processes whose clock of the day is wrong: a library in front of the C library's own answers for it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

SOURCE = """
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t wrong_by(void) {
    const char *seconds = getenv("CLOCK_WRONG_BY");
    return seconds ? atol(seconds) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *found) {
    int answer = (int)syscall(SYS_clock_gettime, clock, found);
    if (!answer && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) found->tv_sec += wrong_by();
    return answer;
}

int gettimeofday(struct timeval *found, void *zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    found->tv_sec = now.tv_sec;
    found->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *found) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (found) *found = now.tv_sec;
    return now.tv_sec;
}
"""


def compiler() -> str | None:
    """The machine's C compiler."""
    return shutil.which("cc")


def wrong_clock(directory: Path) -> Path:
    """The library; in whose process it is loaded, the day's clock is wrong by ``CLOCK_WRONG_BY`` seconds."""
    source, library = directory / "clock.c", directory / "clock.so"
    source.write_text(SOURCE)
    subprocess.run([compiler() or "cc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
    return library


def environment(library: Path, seconds: int) -> dict[str, str]:
    """What a process with such a clock is started with."""
    return {"LD_PRELOAD": str(library), "CLOCK_WRONG_BY": str(seconds)}
