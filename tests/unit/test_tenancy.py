"""Which databases and buckets a namespace may touch, and how often that is asked."""

from __future__ import annotations

import asyncio

import pytest
from tests.rollout_specs import migrate, phase, spec
from tests.tenancy_table import ALLOWED, DATABASE, EXPORT, PROJECT, ROWS, Row
from tests.waiting import until

from firelift.api.conditions import Reason
from firelift.api.tenancy import BUCKETS, DATABASES, Tenancy, of_namespace
from firelift.kube.errors import Unreachable
from firelift.operator.tenancies import Tenancies
from firelift.rollout.allowed import objections

_BACKUP = {"backup": {"export": {"bucket": EXPORT}}}
_RESTORE = {"restore": {"export": f"{EXPORT}/2026-01-01", "collections": ["logs"]}, "irreversible": True}
_SPEC = spec(phase("all", _BACKUP, migrate()), database={"project": PROJECT, "name": DATABASE})


def _tenancy(annotations: dict[str, str], *, required: bool = False) -> Tenancy:
    return of_namespace({"name": "shop", "annotations": annotations}, required=required)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_an_annotation_allows_what_it_names_and_nothing_else(row: Row) -> None:
    found = {each.reason: each.message for each in objections(_SPEC, _tenancy(row.annotations))}

    told = [found.get(reason, "") for reason in (Reason.DATABASE_NOT_ALLOWED, Reason.BUCKET_NOT_ALLOWED)]
    if row.database:
        assert told[0].startswith("spec.database: namespace shop may not touch database shop-prod/orders: ")
        assert row.database in told[0]
    else:
        assert (told[0], bool(told[1])) == ("", bool(row.bucket))
        assert row.bucket in told[1]


def test_the_longest_value_that_is_read_is_as_long_as_it_says() -> None:
    longest = ROWS["as long as it may be"].annotations[DATABASES]
    assert 4000 < len(longest) <= 4096


def test_a_place_is_named_by_the_path_of_its_field() -> None:
    steps = phase("all", _RESTORE, migrate())
    both = spec(phase("first", _BACKUP), steps, database={"project": PROJECT, "name": DATABASE})
    messages = [each.message for each in objections(both, _tenancy(ALLOWED))]

    place = "namespace shop may not touch bucket shop-backups/firestore"
    assert messages[0].startswith(f"spec.phases[0].steps[0].backup.export.bucket: {place}: ")
    assert messages[1].startswith(f"spec.phases[1].steps[0].restore.export: {place}/2026-01-01: ")


def test_where_tenancy_is_required_a_namespace_that_says_nothing_may_touch_nothing() -> None:
    (database, bucket) = objections(_SPEC, _tenancy({}, required=True))

    assert database.message == (
        "spec.database: namespace shop may not touch database shop-prod/orders: it has no annotation "
        "firelift.dev/databases, and the chart's tenancy.required asks for it; whoever may edit the Namespace allows "
        "<project>/<database> or <project>/* there"
    )
    assert "the chart's tenancy.required asks for it" in bucket.message
    assert not list(objections(_SPEC, _tenancy(ALLOWED | {BUCKETS: "shop-backups/*"}, required=True)))


def test_a_namespace_that_cannot_be_read_may_touch_nothing() -> None:
    (found, _) = objections(_SPEC, Tenancy("shop", unknown="GET /api/v1/namespaces/shop: forbidden (HTTP 403)"))
    assert "is not known, so it may not: GET /api/v1/namespaces/shop: forbidden" in found.message


@pytest.mark.parametrize("folder", ["a/../../other", "a//b", "/a", "a b", ".hidden"])
def test_a_folder_that_leads_elsewhere_than_it_seems_to_is_refused(folder: str) -> None:
    bound = _tenancy({BUCKETS: "states/* states/a/*"})
    assert "each beginning with a letter or digit" in bound.bucket("spec", "states", folder)
    assert not _tenancy({}).bucket("spec", "states", folder)


# How often it is asked


class Server:
    """Namespaces, and how often they were asked for."""

    def __init__(self) -> None:
        self.value = "shop-prod/*"
        self.asked = 0
        self.seconds = 100.0
        self.broken = False
        self.slow: asyncio.Event | None = None
        self.tenancies = Tenancies(self.read, 30.0, lambda: self.seconds)

    async def read(self, namespace: str) -> Tenancy:
        self.asked += 1
        if self.slow is not None:
            await self.slow.wait()
        if self.broken:
            raise Unreachable("GET namespace", 0, "no answer")
        return Tenancy(namespace, self.value)


async def test_a_namespace_is_asked_once_in_a_while_however_many_rollouts_it_has() -> None:
    server = Server()
    found = [await server.tenancies.of("shop") for _ in range(1000)]
    assert (server.asked, {each.databases for each in found}) == (1, {"shop-prod/*"})
    await server.tenancies.of("gym")
    assert server.asked == 2


async def test_what_a_namespace_may_touch_is_never_older_than_its_bound() -> None:
    server = Server()
    await server.tenancies.of("shop")
    server.value, server.seconds = "", server.seconds + 30
    assert (await server.tenancies.of("shop")).databases == "shop-prod/*"
    server.seconds += 0.1
    assert (await server.tenancies.of("shop")).databases == ""
    server.broken, server.seconds = True, server.seconds + 31
    with pytest.raises(Unreachable):
        await server.tenancies.of("shop")


async def test_who_waits_for_a_read_that_fails_fails_with_it_and_does_not_try_for_himself() -> None:
    server = Server()
    server.broken, server.slow = True, asyncio.Event()
    waiting = [asyncio.create_task(server.tenancies.of("shop")) for _ in range(5)]
    await asyncio.sleep(0)
    server.slow.set()
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert ([str(error) for error in ended], server.asked) == (["GET namespace: no answer"] * 5, 1)
    server.broken = False
    assert (await server.tenancies.of("shop")).databases == "shop-prod/*"


async def test_who_gives_up_takes_the_answer_from_nobody_else() -> None:
    server = Server()
    server.slow = asyncio.Event()
    first, second = (asyncio.create_task(server.tenancies.of("shop")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    server.slow.set()
    assert ((await second).databases, server.asked, first.cancelled()) == ("shop-prod/*", 1, True)


async def test_an_answer_that_was_asked_for_too_long_ago_is_asked_for_again() -> None:
    server = Server()
    server.slow = asyncio.Event()
    first = asyncio.create_task(server.tenancies.of("shop"))
    await until(lambda: server.asked == 1)
    server.seconds += 30.1
    second = asyncio.create_task(server.tenancies.of("shop"))
    await asyncio.sleep(0)
    server.slow.set()
    await asyncio.gather(first, second)
    assert server.asked == 2


async def test_namespaces_that_nobody_asks_about_any_more_are_not_kept() -> None:
    server = Server()
    for number in range(50):
        server.seconds += 30.1
        await server.tenancies.of(f"team-{number}")
    assert len(server.tenancies) == 1
