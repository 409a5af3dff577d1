"""A Firestore that says what a test tells it to say: for what the emulator never does."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

import grpc

from firelift.stores.firestore import proto
from firelift.stores.firestore.proto import timestamp
from firelift.stores.firestore.store import COUNT_ALIAS

SERVICE = "google.firestore.v1.Firestore"
DATABASE = "projects/scripted/databases/(default)"
ROOT = f"{DATABASE}/documents"

REQUESTS = {
    "Commit": proto.CommitRequest,
    "PartitionQuery": proto.PartitionRequest,
    "BatchGetDocuments": proto.BatchGetRequest,
    "RunQuery": proto.RunQueryRequest,
    "RunAggregationQuery": proto.AggregationRequest,
}
UNARY = {"Commit", "PartitionQuery"}


@dataclass(frozen=True, slots=True)
class Turn:
    """What one call gets: answers, then an end with a code. `silent` never ends."""

    answers: Iterable[Any] = ()
    code: grpc.StatusCode = grpc.StatusCode.OK
    details: str = "as scripted"
    silent: bool = False


@dataclass(slots=True)
class Script:
    """The turns of each method, used up in order, the last one for ever; and what was asked.

    `left` is set when a caller has gone from a silent turn.
    """

    turns: dict[str, list[Turn]] = field(default_factory=dict)
    asked: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    metadata: list[dict[str, str]] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    def handlers(self) -> grpc.GenericRpcHandler[Any, Any]:
        """What the server serves."""
        return grpc.method_handlers_generic_handler(SERVICE, {name: self._handler(name) for name in REQUESTS})

    def _handler(self, name: str) -> Any:
        async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
            self.asked[name].append(request)
            self.metadata.append(dict(context.invocation_metadata()))
            turns = self.turns[name]
            turn = turns.pop(0) if len(turns) > 1 else turns[0]
            for answer in turn.answers:
                yield answer
            if turn.silent:
                try:
                    await asyncio.Event().wait()
                finally:
                    self.left.set()
            if turn.code is not grpc.StatusCode.OK:
                await context.abort(turn.code, turn.details)

        async def unary(request: Any, context: Any) -> Any:
            [answer] = [answer async for answer in stream(request, context)]
            return answer

        kind = grpc.unary_unary_rpc_method_handler if name in UNARY else grpc.unary_stream_rpc_method_handler
        return kind(
            unary if name in UNARY else stream,
            request_deserializer=REQUESTS[name].FromString,
            response_serializer=lambda answer: answer.SerializeToString(),
        )


def listed(*ids: str, at: int = 1) -> list[Any]:
    """RunQuery answers for documents of the collection users."""
    answers = []
    for name in ids:
        answer = proto.RunQueryResponse(read_time=timestamp(at))
        answer.document.name = f"{ROOT}/users/{name}"
        answers.append(answer)
    return answers


def got(*ids: str, at: int) -> list[Any]:
    """BatchGetDocuments answers for documents of the collection users; a name with ``-`` in front is missing."""
    answers = []
    for name in ids:
        answer = proto.BatchGetResponse(read_time=timestamp(at))
        if name.startswith("-"):
            answer.missing = f"{ROOT}/users/{name[1:]}"
        else:
            answer.found.name = f"{ROOT}/users/{name}"
        answers.append(answer)
    return answers


def partitions(*paths: str, next_page: str = "") -> Any:
    """A PartitionQuery answer."""
    answer = proto.PartitionResponse(next_page_token=next_page)
    for path in paths:
        answer.partitions.add().values.add(reference_value=f"{ROOT}/{path}")
    return answer


def counted(documents: int) -> list[Any]:
    """The RunAggregationQuery answer of a count."""
    answer = proto.AggregationResponse()
    answer.result.aggregate_fields[COUNT_ALIAS].integer_value = documents
    return [answer]
