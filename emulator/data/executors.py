"""Who makes the shards: this process, processes of this machine, or the workers of a Dask cluster;
one interface to all.

The interface is that of `concurrent.futures`. Each engine says how many tasks it is handed at a
time, so that what waits does not grow with the number of draws, and turns its own failures into one
error that says how to go on.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from itertools import islice
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from emulator.console import err
from emulator.data.jobs import Job, Task, perform
from emulator.data.schema import ShardRecord
from emulator.errors import DatasetError, MissingExtraError, SimulatorWarning
from emulator.worlds.calls import listening

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS = PATIENCE_SECONDS = 10
PACKAGE = __name__.partition(".")[0]
TALKATIVE = (
    "asyncio",
    "tornado.application",
    "tornado.general",
    "distributed.batched",
    "distributed.client",
    "distributed.comm.tcp",
    "distributed.core",
)
"""Loggers that print tracebacks of lost connections, which our own messages tell of."""

CLUSTER_TASKS = 1000
"""Tasks that a cluster is handed at a time: enough for hundreds of workers, and for a cluster that
grows by what waits.
"""

RESUME = "Finished shards are kept: run the same command again to resume."


HEARING_SECONDS = 0.5
"""How often processes say what functions of the user's have answered."""


class Engine(NamedTuple):
    """An executor, how many tasks it is handed at a time, and how many workers it has now."""

    executor: Executor
    tasks: int
    workers: Callable[[], int]
    queue: SimpleQueue | None = None
    """What its processes say of tasks under way; None of this process, which is heard at once, and
    of a cluster, whose tasks are small.
    """

    @property
    def patience(self) -> float:
        """Seconds of waiting until it is looked at."""
        return PATIENCE_SECONDS if self.queue is None else HEARING_SECONDS

    def news(self) -> Iterator[tuple[Task, int]]:
        """Tasks under way, and how many more of their draws were answered."""
        while self.queue is not None and not self.queue.empty():
            yield self.queue.get()


def open_engine(workers: int, scheduler: str | None) -> AbstractContextManager[Engine]:
    """The engine of a command: `scheduler` is the address of a Dask scheduler or a scheduler file,
    else processes here.

    Raises `DatasetError` if both are asked for, if the scheduler does not answer, and when workers
    are lost.
    """
    if workers < 1:
        raise DatasetError(f"--workers is {workers}; expected 1 or more.")
    if scheduler is None:
        return _here() if workers == 1 else _processes(workers)
    if workers > 1:
        raise DatasetError(
            "--workers counts processes of this machine and --scheduler names a cluster; give one"
            " of them."
        )
    return _cluster(scheduler)


def make_shards(
    engine: Engine,
    job: Job,
    tasks: Iterable[Task],
    begun: Callable[[Task], None],
    heard: Callable[[Task, int], None] = lambda task, answered: None,
) -> Iterator[tuple[Task, ShardRecord]]:
    """Records of the tasks as they are finished; `begun` hears of each task when it is handed
    over, `heard` of its draws as a function of the user's answers them.
    """
    queue = iter(tasks)
    waiting: dict[Future[ShardRecord], Task] = {}
    told = False
    while True:
        for task in islice(queue, engine.tasks - len(waiting)):
            begun(task)
            with listening(lambda answered, failed, task=task: heard(task, answered)):  # type: ignore[misc]
                waiting[engine.executor.submit(_perform, job, *task)] = task
        if not waiting:
            return
        done = wait(waiting, engine.patience, FIRST_COMPLETED).done
        for task, answered in engine.news():
            if task in waiting.values():
                heard(task, answered)
        if not done and not told and engine.workers() == 0:
            told = True
            err.print(
                "The scheduler has no workers; tasks wait until some come. Do they start, with this"
                " package installed?",
                soft_wrap=True,
            )
        for future in done:
            yield waiting.pop(future), future.result()


def _perform(job: Job, world: str, shard: int) -> ShardRecord:
    """Make a shard, and say how far it is where this is a process that others listen to."""
    if _Worker.queue is None:
        return perform(job, world, shard)
    with listening(_Worker((world, shard)).hear):
        return perform(job, world, shard)


class _Worker:
    """What a process says of a task, every now and then."""

    queue: SimpleQueue | None = None

    def __init__(self, task: Task) -> None:
        self.task, self.answered = task, 0
        self.said = time.monotonic()

    def hear(self, answered: int, failed: int) -> None:
        self.answered += answered
        if self.queue is not None and time.monotonic() - self.said > HEARING_SECONDS:
            self.queue.put((self.task, self.answered))
            self.answered = 0
            self.said = time.monotonic()


class _Inline(Executor):
    """Works at once, in this process."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(function(*args, **kwargs))
        return future


@contextmanager
def _here() -> Iterator[Engine]:
    yield Engine(_Inline(), 1, lambda: 1)


@contextmanager
def _processes(workers: int) -> Iterator[Engine]:
    context = multiprocessing.get_context(
        "spawn"
    )  # fork is unsafe once zarr's event loop or BLAS threads run
    queue = context.SimpleQueue()
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=_begin_worker, initargs=(queue,)
    )
    try:
        yield Engine(pool, 2 * workers, lambda: workers, queue)
    except BrokenProcessPool:
        raise DatasetError(f"A worker process was killed. {RESUME}") from None
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_worker(queue: SimpleQueue) -> None:
    _Worker.queue = queue
    _end_with_parent()


def _end_with_parent() -> None:
    """Let a worker die when its parent is killed: it must not write beside the run that resumes.

    It also keeps quiet of what its parent counts.
    """
    # What a simulator fails at is counted in the data set; each worker need not say it.
    warnings.simplefilter("ignore", SimulatorWarning)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _cluster(scheduler: str) -> Iterator[Engine]:
    """The workers of a Dask scheduler. Dask hands the tasks of a lost worker to others."""
    try:
        from distributed import KilledWorker
    except ImportError:
        raise MissingExtraError("distributed", "dask") from None
    for name in TALKATIVE:
        logging.getLogger(name).addFilter(_not_of_a_lost_connection)
    client = _connect(scheduler)
    executor = client.get_executor(pure=False)
    log = logging.getLogger("distributed.client")
    level = log.level
    log.setLevel(
        logging.CRITICAL
    )  # a lost scheduler is told by the error below, not by the client's tracebacks too
    try:
        if any(spec is None for spec in client.run(find_spec, PACKAGE).values()):
            raise DatasetError(
                f"Workers of the scheduler at {scheduler} lack this package. Give every worker the"
                " environment that the command runs in."
            )
        yield Engine(executor, CLUSTER_TASKS, lambda: len(client.nthreads()))
    except KilledWorker as error:
        raise DatasetError(
            "A task was given up after several workers died at it; was their memory too small?"
            f" {error} {RESUME}"
        ) from None
    except CancelledError:
        raise DatasetError(
            f"The connection to the scheduler at {scheduler} was lost. {RESUME}"
        ) from None
    finally:
        if client.status == "running":
            executor.shutdown(wait=False)
        client.close(timeout=CONNECT_SECONDS)
        log.setLevel(level)


def _not_of_a_lost_connection(record: logging.LogRecord) -> bool:
    """Passes what is not the traceback of a broken connection, which event loops log as late as at
    exit.
    """
    return not (record.exc_info and isinstance(record.exc_info[1], OSError))


def _connect(scheduler: str) -> Client:
    from distributed import Client
    from distributed.comm.addressing import get_address_host_port

    file = scheduler.endswith(".json")
    if file and not Path(scheduler).is_file():
        raise DatasetError(
            f"The scheduler file {scheduler} does not exist. A scheduler writes it: dask scheduler"
            f" --scheduler-file {scheduler}"
        )
    try:
        if not file:
            get_address_host_port(scheduler, strict=True)
        named = {"scheduler_file": scheduler} if file else {"address": scheduler}
        return Client(**named, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DatasetError(
            f"No Dask scheduler answers at {scheduler} ({type(error).__name__}: {error}). Nothing"
            " was changed; expected an address such as tcp://host:8786, or a scheduler file."
        ) from None
