"""The page as a person sees it, in a headless Chromium. `FIRELIFT_SCREENSHOTS=docs/page` keeps its pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser import chromium
from tests.environment_plans import spec_index
from tests.environment_world import world as ground
from tests.rollout_specs import flags, gate, migrate, phase, soak
from tests.rollout_world import World, world

from firelift.api.run import Totals
from firelift.operator.ground.status import dump as dump_environment
from firelift.operator.page.live import Live
from firelift.operator.page.server import PageServer
from firelift.operator.status import dump
from firelift.operator.telemetry.board import Told
from firelift.operator.wakeups import Key

KEY = Key("productivity", "fitness-logs")
INDEX = spec_index("telemetry", "device", "-time")


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1200, "height": 860})
        page.set_default_timeout(10_000)
        yield page


@pytest.fixture
def live() -> Live:
    return Live(lambda: 1_790_000_000.0)


@pytest.fixture
def server(live: Live) -> Iterator[PageServer]:
    made = PageServer("127.0.0.1", 0, live, lambda: True)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def page(browser_page: Page, server: PageServer) -> Iterator[Page]:
    """At the page, with every error that the browser met on the way."""
    errors: list[str] = []
    browser_page.on("pageerror", lambda error: errors.append(str(error)))
    browser_page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    browser_page.goto(f"http://127.0.0.1:{server.port}/")
    yield browser_page
    browser_page.goto("about:blank")
    assert errors == []


def half_way() -> World:
    """A rollout in the soak of its second phase."""
    made = world(
        phase("one-percent", flags(), migrate(1), soak(60)),
        phase("ten-percent", migrate(10), soak(600)),
        phase("everyone", migrate(100)),
        gates=[gate()],
    )
    made.measure = lambda _gate, _end: 0.0004
    made.totals = lambda _plan: Totals(read=100, created=97, dead_letters=3)
    for _ in range(400):
        made.turn()
        status = made.status
        if status and status.phase == "ten-percent" and status.gates and status.gates[0].verdict != "Pending":
            break
        made.work()
        made.pass_time(15)
    return made


def hour(live: Live, made: World) -> None:
    """The rollout with an hour of points behind it."""
    assert made.status is not None
    status = dump(made.status)
    for number in range(360):
        live._clock = lambda now=1_790_000_000.0 + 10 * number: now  # type: ignore[misc] # noqa: SLF001 - time passes
        rate = 0.0 if number % 120 > 80 else 900 + 80 * ((number * 7919) % 11 - 5) / 5
        status = {**status, "gates": [{**status["gates"][0], "value": f"{0.02 + 0.05 * ((number * 31) % 7) / 7:.3f}%"}]}
        live.hear("rollout", KEY, Told(status, 0.41, rate))


def keep(page: Page, name: str) -> None:
    """A picture for the docs, when somebody asks for it."""
    if folder := os.environ.get("FIRELIFT_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_all_objects_are_one_line_each_and_live(page: Page, live: Live) -> None:
    expect(page.get_by_text("There is no rollout yet.")).to_be_visible()
    made = half_way()
    assert made.status is not None
    live.hear("rollout", KEY, Told(dump(made.status), 0.41, 1125.0))
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="productivity/fitness-logs"))
    expect(row).to_contain_text("ten-percent")
    expect(row.get_by_role("progressbar")).to_have_attribute("value", "0.41")
    expect(page.locator("#line")).to_have_text("live")
    environment = ground(terraform={"apply": "Auto"}, indexes={"composite": {"by-device": INDEX}})
    environment.settle()
    assert environment.status is not None
    live.hear("environment", Key("productivity", "productivityai-prod"), Told(dump_environment(environment.status)))
    expect(page.get_by_role("link", name="productivity/productivityai-prod")).to_be_visible()
    keep(page, "everything")
    live.hear("rollout", KEY, None)
    expect(page.get_by_text("There is no rollout yet.")).to_be_visible()


def test_one_rollout_shows_its_phases_its_gates_against_their_limits_and_its_history(page: Page, live: Live) -> None:
    hour(live, half_way())
    page.get_by_role("link", name="productivity/fitness-logs").click()
    expect(page.get_by_role("heading", name="Rollout productivity/fitness-logs")).to_be_visible()
    expect(page.locator(".phases > li")).to_have_count(3)
    expect(page.locator(".phases > li").first).to_contain_text("97 documents, 3 dead letters")
    drawing = page.get_by_role("img", name="gate error-rate")
    expect(drawing.locator("line.limit")).to_have_count(1)
    assert len(drawing.locator("path").get_attribute("d") or "") > 1000
    expect(page.get_by_role("table", name="History")).to_be_visible()
    keep(page, "rollout")


def test_what_a_status_says_is_text_and_never_markup(page: Page, live: Live) -> None:
    live.hear(
        "rollout", KEY, Told({"reason": "StepFailed", "message": "<img src=x onerror=alert(1)>", "conditions": []})
    )
    page.get_by_role("link", name="productivity/fitness-logs").click()
    expect(page.locator(".message")).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator("main img").count() == 0


def test_the_keyboard_reaches_everything_and_each_part_has_its_name(page: Page, live: Live) -> None:
    hour(live, half_way())
    expect(page.get_by_role("link", name="productivity/fitness-logs")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.get_by_role("link", name="productivity/fitness-logs").press("Enter")
    expect(page.locator("main")).to_be_focused()
    assert page.locator("main svg:not([role=img][aria-label])").count() == 0
    assert page.locator("table:not(:has(caption))").count() == 0


def test_a_narrow_window_scrolls_tables_and_not_the_page(page: Page, live: Live) -> None:
    hour(live, half_way())
    page.set_viewport_size({"width": 380, "height": 700})
    page.get_by_role("link", name="productivity/fitness-logs").click()
    expect(page.locator(".phases > li")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.set_viewport_size({"width": 1200, "height": 860})
