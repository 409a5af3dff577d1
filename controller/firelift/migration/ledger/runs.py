"""Run documents: a frozen plan, and the control that the operator changes while workers watch it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from firelift.api.run import FORMAT, RunControl, RunPlan, RunState
from firelift.migration.errors import Conflict, LedgerBroken, LostRace, StaleEpoch
from firelift.migration.ledger import paths
from firelift.migration.ledger.format import check
from firelift.migration.store import Create, Document, Micros, Missing, Source, Store, Update, Value

TRIES = 3
LISTED = 300
"""Documents of one page."""
MICROS_PER_SECOND = 1_000_000
CONTROL_FIELDS = ("state", "epoch", "leaseSeconds", "renewal")
SHARE_FIELDS = ("writesPerSecond", "shareUntil", "processes")
"""Of a control; those of older operators have none."""


@dataclass(frozen=True, slots=True)
class ControlSeen:
    """A run's control as read, with both times of the server's clock."""

    control: RunControl
    renewal: int
    update_time: Micros
    read_time: Micros

    @property
    def lease_left(self) -> float:
        """Seconds for which the lease was still fresh when it was read; negative when it had run out."""
        return self.control.lease_seconds - self.age

    @property
    def share_left(self) -> float:
        """Seconds for which its share of the write budget was still good when it was read."""
        return (self.control.share_until - self.read_time) / MICROS_PER_SECOND

    @property
    def age(self) -> float:
        """Seconds since the operator last wrote the document."""
        return (self.read_time - self.update_time) / MICROS_PER_SECOND


@dataclass(frozen=True, slots=True)
class RunDocument:
    """A run document as read."""

    plan: RunPlan
    seen: ControlSeen

    @property
    def control(self) -> RunControl:
        """What the operator last asked for."""
        return self.seen.control


@dataclass(frozen=True, slots=True)
class RunStore:
    """The run documents of a ledger."""

    store: Store
    ledger: str

    async def ensure(self, plan: RunPlan, control: RunControl) -> RunDocument:
        """Make the run, or make its control this one and its lease fresh; the plan of a run that exists stays.

        Nothing is written when the control is the same and, for a run that is to run, less than half of its lease is
        gone.

        Raises:
            StaleEpoch: when a newer leader has written the run; nothing was written.
            LostRace: when others kept changing it in between.
        """
        for _ in range(TRIES):
            current = (await self.read([plan.id]))[plan.id]
            try:
                if current is None:
                    await self._create(plan, control)
                elif self._due(plan.id, current, control):
                    await self._update(plan.id, current.seen, control)
                else:
                    return current
            except Conflict:
                continue
        return await self._settled(plan.id, control)

    async def read(self, ids: Iterable[str]) -> dict[str, RunDocument | None]:
        """Each run by its id, None where there is none."""
        wanted = list(ids)
        documents = await self.store.get([paths.run(self.ledger, each) for each in wanted]) if wanted else []
        return {
            each: None if isinstance(document, Missing) else RunDocument(self._plan(document), self._control(document))
            for each, document in zip(wanted, documents, strict=True)
        }

    async def plan(self, run: str) -> RunPlan:
        """The plan of a run.

        Raises:
            LedgerBroken: when there is no such run, or it has another format.
        """
        found = (await self.read([run]))[run]
        if found is None:
            raise self._no(run)
        return found.plan

    async def listed(self) -> list[tuple[RunPlan, Micros]]:
        """The plan of every run, and when the run was made, in the order of their ids."""
        found: list[Document] = []
        after: str | None = None
        while True:
            source = Source(paths.collection(self.ledger, paths.RUNS), start=after)
            page = await self.store.page(source, limit=LISTED, mask=[("format",), ("plan",)])
            # Lane maps and failures are kept in the same collection, and have no plan.
            found += [document for document in page.documents if "plan" in document.fields]
            if page.exhausted:
                return [(self._plan(document), document.create_time) for document in found]
            after = page.documents[-1].path

    async def control(self, run: str) -> ControlSeen:
        """The control of a run, without its plan.

        Raises:
            LedgerBroken: when there is no such run.
        """
        mask = [(name,) for name in (*CONTROL_FIELDS, *SHARE_FIELDS)]
        document = (await self.store.get([paths.run(self.ledger, run)], mask=mask))[0]
        if isinstance(document, Missing):
            raise self._no(run)
        return self._control(document)

    def _due(self, run: str, current: RunDocument, control: RunControl) -> bool:
        if current.control.epoch > control.epoch:
            raise StaleEpoch(
                f"run {run} was written by a leader of epoch {current.control.epoch}, and this one has "
                f"{control.epoch}: it is not the leader any more and has written nothing"
            )
        worn = current.seen.age * 2 >= control.lease_seconds
        return current.control != control or (control.state is RunState.RUN and worn)

    async def _create(self, plan: RunPlan, control: RunControl) -> None:
        encode = self.store.values.encode
        fields = self._fields(control, renewal=0)
        fields["format"] = encode(FORMAT)
        fields["plan"] = encode(plan.model_dump_json(by_alias=True))
        await self.store.commit([Create(paths.run(self.ledger, plan.id), fields)])

    async def _update(self, run: str, seen: ControlSeen, control: RunControl) -> None:
        fields = self._fields(control, renewal=seen.renewal + 1)
        await self.store.commit(
            [Update(paths.run(self.ledger, run), fields, [(name,) for name in fields], seen.update_time)]
        )

    async def _settled(self, run: str, control: RunControl) -> RunDocument:
        current = (await self.read([run]))[run]
        if current is None or self._due(run, current, control):
            raise LostRace(f"run {run} was changed by others {TRIES} times in a row; the next turn tries again")
        return current

    def _fields(self, control: RunControl, renewal: int) -> dict[str, Value]:
        plain = (control.state.value, control.epoch, control.lease_seconds, renewal)
        share = (control.writes_per_second, control.share_until, control.processes)
        names = (*CONTROL_FIELDS, *SHARE_FIELDS)
        return {name: self.store.values.encode(value) for name, value in zip(names, (*plain, *share), strict=True)}

    def _no(self, run: str) -> LedgerBroken:
        return LedgerBroken(f"ledger {self.ledger} has no run {run} (any more), so nothing may be written for it")

    def _plan(self, document: Document) -> RunPlan:
        plain = self._plain(document.fields, [name for name in ("format", "plan") if name in document.fields])
        check(document.path, plain.get("format"))
        return RunPlan.model_validate_json(plain["plan"])

    def _control(self, document: Document) -> ControlSeen:
        state, epoch, lease, renewal = self._plain(document.fields, CONTROL_FIELDS).values()
        share, until, processes = SHARE_FIELDS
        said = self._plain(document.fields, [name for name in SHARE_FIELDS if name in document.fields])
        control = RunControl(
            state=RunState(state),
            epoch=epoch,
            lease_seconds=lease,
            writes_per_second=said.get(share),
            share_until=said.get(until, 0),
            processes=said.get(processes, 0),
        )
        return ControlSeen(control, renewal, document.update_time, document.read_time)

    def _plain(self, fields: Mapping[str, Value], names: Iterable[str]) -> dict[str, Any]:
        return {name: self.store.values.decode(fields[name]) for name in names}
