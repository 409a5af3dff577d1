"""What a function of the user's own is refused: signatures that no worker can call, and ways out of the process."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import pytest
from tests.moving import IN_PLACE, document, transform

from firelift.functions import Context, Document
from firelift.migration.entrypoint import load
from firelift.migration.errors import TransformUnusable
from firelift.migration.refusal import Refused


async def coroutine(doc: Document, context: Context) -> Document:  # noqa: ARG001 - what load refuses
    return doc


async def async_generator(doc: Document, context: Context) -> AsyncIterator[Document]:  # noqa: ARG001 - the same
    yield doc


def generator(doc: Document, context: Context) -> Iterator[Document]:  # noqa: ARG001 - the same
    yield doc


def one_argument(doc: Document) -> Document:
    return doc


def three_arguments(doc: Document, context: Context, more: object) -> Document:  # noqa: ARG001 - the same
    return doc


class Callable:
    async def __call__(self, doc: Document, context: Context) -> Document:  # noqa: ARG002 - the same
        return doc


asynchronous_object = Callable()
partly = partial(coroutine)
not_one = {"a": 1}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("coroutine", "is asynchronous"),
        ("asynchronous_object", "is asynchronous"),
        ("partly", "is asynchronous"),
        ("generator", "is a generator; answer a dict with `return`"),
        ("async_generator", "is a generator"),
        ("one_argument", "cannot be called with these two: too many positional arguments"),
        ("three_arguments", "cannot be called with these two: missing a required argument: 'more'; its signature is"),
        ("Callable", "is a class"),
        ("not_one", "is a dict"),
        ("absent", "has no attribute 'absent'; it must be importable in the worker's image"),
    ],
)
def test_what_is_no_plain_function_of_two_arguments_is_refused_before_the_first_document(name: str, why: str) -> None:
    with pytest.raises(TransformUnusable) as error:
        load(f"{__name__}:{name}")
    assert why in str(error.value)


def with_a_default(doc: Document, context: Context, *, loud: bool = False) -> Document:
    return {**doc, "title": str(context.id).upper() if loud else doc["name"]}


def awaited_later(doc: Document, context: Context) -> Any:
    return coroutine(doc, context)


def connecting(doc: Document, _: Context) -> Document:
    socket.create_connection(("127.0.0.1", 9), timeout=1)
    return doc


def looking_up(doc: Document, _: Context) -> Document:
    socket.getaddrinfo("localhost", 80)
    return doc


def calling(doc: Document, _: Context) -> Document:
    subprocess.run([sys.executable, "-c", ""], check=True)
    return doc


def outcome(function: str) -> object:
    spec = {"transform": {"python": {"entrypoint": f"{__name__}:{function}"}}}
    return transform(IN_PLACE, **spec).attempt(document(name="x"))


def test_arguments_with_defaults_are_no_hindrance() -> None:
    assert not isinstance(outcome("with_a_default"), Refused)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("awaited_later", "the function answered a coroutine instead of a dict or None"),
        ("connecting", "WayOut: the function looks up a host (socket.getaddrinfo)"),
        ("looking_up", "WayOut: the function looks up a host (socket.getaddrinfo)"),
        ("calling", "WayOut: the function starts a process (subprocess.Popen)"),
    ],
)
def test_a_function_that_reaches_beyond_its_arguments_makes_a_dead_letter(function: str, reason: str) -> None:
    refused = outcome(function)
    assert isinstance(refused, Refused)
    assert reason in refused.reason


def test_everything_else_in_the_process_may_connect_as_before() -> None:
    outcome("connecting")
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()
