"""What reading and compiling one file may cost: one budget of work and of memory.

A few lines of a `.mod` file can stand for any amount of work: macro loops, powers of arrays, long
lags, `#` variables within `#` variables. Whoever does the work asks the budget before doing it, so
that such a file ends in a message and not in an exhausted machine. The largest published models
(1,400 equations) take less than half of either.
"""

from __future__ import annotations

from dataclasses import dataclass

from emulator.errors import ModFileError
from emulator.modfile.reading.syntax import Place

MOST_WORK = 10_000_000
"""Steps: a step is the handling of one element of an array, about a microsecond."""

MOST_MEMORY = 1 << 30
"""Bytes."""

EVALUATION = 20
"""Steps of one macro expression."""

DERIVATIVE_TERM = 3
"""Steps for each term of an equation and each variable by which it is differentiated."""

ELEMENT = 40
"""Bytes of one element of a macro array."""

LETTER = 100
"""Bytes of one letter of text, with the syntax that is made of it."""

PARSED = 5
"""Steps of one letter of text on its way through the grammar."""

MATRICES = 16
"""Matrices of a model in memory while it is solved."""


@dataclass
class Budget:
    """What was spent so far; `place` is the statement that is being read, for the error."""

    place: Place | None = None
    work: int = 0
    memory: int = 0

    def spend(self, steps: int, what: str, advice: str) -> None:
        """Account for work that is about to be done. Raises `ModFileError` where it is too much."""
        self.work += steps
        if self.work > MOST_WORK:
            raise ModFileError(
                f"{what}: this takes more than the {MOST_WORK:,} steps of work that reading a file"
                f" may take. {advice}",
                self.place,
            )

    def hold(self, amount: int, what: str, advice: str) -> None:
        """Account for bytes that are about to be taken. Raises `ModFileError` where there are too
        many.
        """
        self.memory += amount
        if self.memory > MOST_MEMORY:
            raise ModFileError(
                f"{what}: this takes more than the {MOST_MEMORY >> 20:,} MB of memory that reading"
                f" a file may take. {advice}",
                self.place,
            )

    def macros(self, elements: int = 0, evaluations: int = 0, built: int = 0) -> None:
        """Macro expressions: elements that are looked at, expressions that are evaluated, elements
        that are built.
        """
        advice = "Does a loop or a function grow without end? Make its arrays shorter."
        steps = elements + built + EVALUATION * evaluations
        self.spend(steps, "macro expressions", advice)
        if built:
            self.hold(ELEMENT * built, "macro arrays", advice)

    def text(self, letters: int) -> None:
        """Text after macro expansion."""
        advice = "Does a macro write its text too often? Split the model."
        self.spend(PARSED * letters, "the text after macro expansion", advice)
        self.hold(LETTER * letters, "the text after macro expansion", advice)

    def derivatives(self, terms: int, variables: int) -> None:
        """The derivatives of an equation of so many terms in so many variables."""
        self.spend(
            DERIVATIVE_TERM * terms * (variables + 1),
            f"the derivatives of an equation of {terms:,} terms in {variables:,} variables",
            "Introduce variables for parts of the equations, so that each is short.",
        )

    def higher(self, terms: int, variables: int, order: int) -> None:
        """The derivatives of that order of an equation of so many terms in so many variables."""
        self.spend(
            terms * variables ** (order - 1),
            f"the derivatives of order {order} of an equation of {terms:,} terms in"
            f" {variables:,} variables",
            "Introduce variables for parts of the equations, so that each is short.",
        )

    def model(self, variables: int) -> None:
        """The matrices of a model of so many variables, auxiliary ones included."""
        needed = 8 * MATRICES * variables**2
        Budget(self.place, memory=self.memory).hold(
            needed,
            f"the matrices of a model of {variables:,} variables, those for long leads and lags"
            " included",
            "Make the model smaller or its lags shorter.",
        )

    def statements(self, count: int) -> None:
        """Statements that are gone through."""
        self.spend(
            count,
            "the statements around the model block",
            "Are there thousands of commands or blocks? Leave out those that do not count.",
        )
