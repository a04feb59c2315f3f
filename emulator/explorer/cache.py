"""Answers that are kept, so that a question is computed once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

import xarray as xr

STEP = 0.1
"""Seconds between two looks at whether whoever waits for a turn is still there."""


class AnswerCache:
    """The last `most` answers by their questions. Whoever answers (a world's solver, the network)
    is asked one question at a time; threads may share the cache.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._answers: OrderedDict[Hashable, xr.Dataset] = OrderedDict()
        self._turns: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._answers)

    def known(self, question: Hashable) -> xr.Dataset | None:
        with self._lock:
            return self._answers.get(question)

    def once(
        self,
        question: Hashable,
        who: str,
        compute: Callable[[], xr.Dataset],
        given_up: Callable[[], bool] = lambda: False,
    ) -> xr.Dataset | None:
        """A kept answer, or one that is computed now; who asks for the same meanwhile waits for it.

        None where `given_up` is true before it is the question's turn.
        """
        with self._lock:
            turn = self._turns.setdefault(who, threading.Lock())
        while not turn.acquire(timeout=STEP):
            if given_up():
                return None
        try:
            answer = self.known(question)
            if answer is None:
                answer = compute()
                self._keep(question, answer)
            return answer
        finally:
            turn.release()

    def _keep(self, question: Hashable, answer: xr.Dataset) -> None:
        with self._lock:
            self._answers[question] = answer
            while len(self._answers) > self.most:
                self._answers.popitem(last=False)
