"""The board of a choice: how every kind did, beside the predictors that need no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.choice.budget import in_words
from emulator.choice.kinds import KINDS, STACK
from emulator.provenance import commit, versions

if TYPE_CHECKING:
    from rich.table import Table

    from emulator.choice.choosing import Choice
    from emulator.choice.ledger import Ledger
    from emulator.data import DataSet


def rows(ledger: Ledger) -> list[tuple[str, str, str, str, str]]:
    """Kind, error on val, error on test, processor time and what became of it: best first, then
    those without an error, then the trivial predictors.
    """
    attempts = sorted(
        ledger.attempts.values(), key=lambda a: (a.val is None, a.val if a.val is not None else 0.0)
    )
    lines = []
    for attempt in attempts:
        note = attempt.note if attempt.note else attempt.state
        if attempt.kind == STACK:
            note = " + ".join(f"{share:.2f} {name}" for name, share in ledger.shares.items())
        if attempt.kind == ledger.winner:
            note = f"chosen; {note}" if attempt.kind == STACK else "chosen"
        lines.append(
            (
                attempt.kind,
                _number(attempt.val),
                _number(attempt.test),
                in_words(attempt.seconds),
                note,
            )
        )
    for title, error in sorted(ledger.trivial.items(), key=lambda pair: pair[1]):
        lines.append((title, "", _number(error), "", "trivial predictor"))
    return lines


def _number(error: float | None) -> str:
    return "" if error is None else f"{error:.3g}"


def table(ledger: Ledger) -> Table:
    """The board as a table for the terminal."""
    from rich.table import Table

    board = Table(
        "kind",
        title="Mean NRMSE, in standard deviations of the training responses",
        title_justify="left",
    )
    for column in ("val", "test", "time"):
        board.add_column(column, justify="right", no_wrap=True)
    board.add_column("what became of it")
    for line in rows(ledger):
        board.add_row(*line)
    return board


def advice(choice: Choice) -> list[str]:
    """What more draws would bring, and a warning where a trivial predictor did as well."""
    lines = []
    if choice.curve is not None:
        lines.append(choice.curve.in_words())
        ratio = choice.curve.at(2 * choice.curve.draws[-1]) / choice.curve.errors[-1]
        if choice.ledger.winner == STACK and ratio < 1 and choice.winner.test is not None:
            lines.append(
                f"The stack would come to about {ratio * choice.winner.test:.3g} if it gained as"
                " much."
            )
    elif note := choice.ledger.curve.get("note"):
        lines.append(str(note))
    best_trivial = min(choice.ledger.trivial, key=choice.ledger.trivial.__getitem__)
    error = choice.winner.test
    if error is not None and error >= choice.ledger.trivial[best_trivial]:
        lines.append(
            f"The winner does no better than '{best_trivial}' on the test draws: it has learnt"
            " nothing that helps. Give it more draws, or check the data set."
        )
    return lines


def card(choice: Choice, data: DataSet) -> str:
    """The winner's card, in Markdown: what it is, how it did, from which data."""
    ledger = choice.ledger
    title = "several kinds put together" if ledger.winner == STACK else KINDS[ledger.winner].title
    lines = [
        f"# Emulator of {', '.join(data.worlds)}",
        "",
        f"Kind: `{ledger.winner}` ({title}). Chosen by its error on the split `val` among"
        f" {len(ledger.request['kinds'])} kinds in {in_words(ledger.spent)} of processor time"
        f" (budget {in_words(ledger.request['budget'])}), seed {ledger.request['seed']}.",
        "",
        f"    emulator irf {data.worlds[0]} --checkpoint {choice.folder}",
        "",
        "## Errors",
        "",
        "Mean NRMSE in standard deviations of the training responses. `val` chose the winner and"
        " fitted its band, so that `test` is the one to believe.",
        "",
        "| kind | val | test | processor time | what became of it |",
        "|---|---|---|---|---|",
        *(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in rows(ledger)),
        "",
        *advice(choice),
        "",
        "## Band and flags",
        "",
        "| world | draws of val | coverage of the 90 % band on test | flagged on test |",
        "|---|---|---|---|",
    ]
    for world, entry in choice.report.items():
        test = entry["splits"]["test"]
        lines.append(
            f"| {world} | {entry['draws']} | {100 * test['coverage']:.1f} % |"
            f" {100 * test['flagged']:.1f} % |"
        )
    lines += ["", "## Data", "", f"{data.path}, fingerprint `{data.fingerprint}`.", ""]
    for world in data.worlds:
        spec = data.spec(world)
        lines.append(f"- `{world}`: {spec}; {len(data.rows(world, 'train'))} training draws.")
    packages = ", ".join(f"{name} {version}" for name, version in versions().items())
    lines += ["", f"Made by commit {commit()}; {packages}.", ""]
    return "\n".join(lines)
