"""Options in groups: what Typer sees of them, and what the command is called with."""

import inspect
from dataclasses import dataclass, fields
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from emulator.cli import function_of
from emulator.grouping import grouped
from emulator.inference.history_question import Outputs, TypedQuestion

pytestmark = pytest.mark.fast


@dataclass(frozen=True)
class Place:
    city: Annotated[str, typer.Option(help="Where.")]
    street: str | None = None


@dataclass(frozen=True)
class House(Place):
    street: Annotated[str | None, typer.Option("--road")] = "Main"
    rooms: Annotated[int, typer.Option(min=1)] = 2


def run(command, *words):
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, list(words))


def test_a_group_arrives_as_the_record_of_what_was_typed():
    calls = []

    @grouped
    def visit(name: str, *, house: House, loud: bool = False) -> None:
        """Go there."""
        calls.append((name, house, loud))

    assert run(visit, "me", "--city", "Rome", "--rooms", "3").exit_code == 0
    assert calls == [("me", House("Rome", "Main", 3), False)]
    visit(name="you", city="Oslo", loud=True)
    assert calls[1] == ("you", House("Oslo", "Main", 2), True)


def test_options_keep_their_order_bounds_and_help():
    @grouped
    def visit(name: str, house: House) -> None:
        """Go there."""

    assert visit.__doc__ == "Go there."
    assert list(inspect.signature(visit).parameters) == ["name", "city", "street", "rooms"]
    text = run(visit, "--help").output
    assert "Where." in text
    assert "--road" in text
    assert run(visit, "me").exit_code == 2  # a city is needed
    assert run(visit, "me", "--city", "Rome", "--rooms", "0").exit_code == 2


@pytest.mark.parametrize("name", ["smooth", "decompose", "forecast", "counterfactual"])
def test_commands_about_history_take_the_same_options(name):
    shared = [field.name for group in (TypedQuestion, Outputs) for field in fields(group)]
    options = list(inspect.signature(function_of(name)).parameters)
    assert [option for option in options if option in shared] == shared
