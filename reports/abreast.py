"""Work that a page shares out among copies of its process, as many as are asked for."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any, TypeVar

Result = TypeVar("Result")
CAN_COPY = sys.platform == "linux"  # elsewhere a copied process may not use what numpy computes with
MOST = 256  # tasks, each a byte of the queue


def abreast(tasks: Sequence[Callable[[], Result]], processes: int) -> list[Result]:
    """Does tasks, whichever process is free the next one, and returns what they returned, in their order.

    Nothing is handed to the copies, which know all that this process knows; only what they found comes back, pickled.
    A process with threads must not be copied: their locks would be too.

    Args:
        tasks: At most 256 of them.
        processes: How many do the work, this one among them; where processes can't be copied, this one does it alone.

    Raises:
        ChildProcessError: If a copy ended before it had told what it found.
        Exception: What a task raised, wherever it was done.
    """
    if processes < 2 or not CAN_COPY:
        return [task() for task in tasks]
    assert len(tasks) <= MOST
    queue, end = os.pipe()
    os.write(end, bytes(range(len(tasks))))
    os.close(end)
    copies = [_begin(tasks, queue) for _ in range(processes - 1)]
    try:
        found = dict(_done(tasks, queue))
        for copy, mailbox in copies:
            found |= _told(mailbox)
            copy.join()
    finally:
        os.close(queue)
        for copy, mailbox in copies:
            mailbox.close()
            copy.kill()  # does nothing to one that has ended
            copy.join()
    return [found[number] for number in range(len(tasks))]


def _begin(tasks: Sequence[Callable[[], Any]], queue: int) -> tuple[Any, Connection]:
    context = multiprocessing.get_context("fork")
    mailbox, own_end = context.Pipe(duplex=False)
    copy = context.Process(target=_work, args=(tasks, queue, own_end), daemon=True)
    copy.start()
    own_end.close()
    return copy, mailbox


def _work(tasks: Sequence[Callable[[], Any]], queue: int, mailbox: Connection) -> None:
    try:
        told: Any = dict(_done(tasks, queue))
    except Exception as error:  # is raised again by who waits for it
        told = error
    mailbox.send(told)


def _done(tasks: Sequence[Callable[[], Result]], queue: int) -> Iterator[tuple[int, Result]]:
    while number := os.read(queue, 1):
        yield number[0], tasks[number[0]]()


def _told(mailbox: Connection) -> dict[int, Any]:
    try:
        told = mailbox.recv()
    except EOFError as error:
        raise ChildProcessError("a process that worked on the page has died") from error
    if isinstance(told, Exception):
        raise told
    found: dict[int, Any] = told
    return found
