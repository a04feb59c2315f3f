"""Messages of the rooms below, in the page's own words: where one names a call of Python or an
option of the command line, and the page has a control for the same, that control is named.
"""

from __future__ import annotations

import re

EQUATIONS = "under 'Series and their equations'"

ADVICE = (
    (r"save it as 'CSV UTF-8', or as \.xlsx", "save it as 'CSV UTF-8'"),
    (
        r"Add the rows, or take their values as missing: gaps='missing', on the command line --gaps"
        r" missing\.",
        "Add the rows, with empty cells where values are missing.",
    ),
    (
        r"(Make \w+ of them by sums or averages): read_data\(.*?\), on the command line"
        r" --frequency \w+\.",
        r"\1, and load the table again.",
    ),
    (
        r"Name its columns so, or say what is observed how: observe=\{.*?\}, on the command line"
        r" --observe\.",
        f"Name its columns so, or write an equation beside each series, {EQUATIONS}.",
    ),
    (
        r"Say what is observed how: observe=\{.*?\}, on the command line --observe '[^']*'\.",
        f"Write the equation of a series, such as diff(output) + mean, {EQUATIONS}.",
    ),
    (
        r"Match its responses to those of the data instead \(emulator estimate --world \S+\), or"
        r" ask a linear world, such as nk\.",
        "Choose a linear world, such as nk.",
    ),
    (
        r"give some of them errors of measurement: errors=\{.*?\}, on the command line --error"
        r" \S+=0\.2\.",
        f"give some of them an error of measurement, {EQUATIONS}.",
    ),
    (
        r"Start with nothing known of their levels: start='diffuse', on the command line --start"
        r" diffuse\.",
        "Choose 'levels unknown (unit roots)' under 'Before the data'.",
    ),
    (r"Ask for a longer horizon\.", "Let the forecast reach further ahead."),
    (
        r"Change the parameters(?: \(`emulator worlds \S+` shows defaults and ranges\))?, or, in"
        r" Python, have NaN there: on_failure='nan'\.",
        "Change the parameters.",
    ),
    (
        r"Or hand it over: --set \S+=VALUE on the command line, .*? of emulator\.modfile\.load"
        r"\(FILE\)\)\.",
        "Assign it in the file.",
    ),
    (
        r"; run=1 to run=\d+ of emulator\.world\(path, run=1\) or emulator\.modfile\.load \(on"
        r" the command line --run\) chooses one\.",
        ". A file with one of them alone shows that one.",
    ),
    (
        r"give it a value: \S+=VALUE \(--set \S+=VALUE on the command line\)\.",
        "write one into its field.",
    ),
)
"""What a message advises, and what it says on the page."""

OPTION = r"--[a-z][a-z-]*(?: (?:'[^']*'|[\w.,=:]*\w))?"

OTHERWISE = (
    (rf" \((?:[^()]*, )?on the command line,? {OPTION}[^()]*\)", ""),
    (rf"[,;]? on the command line,? {OPTION}", ""),
)
"""Options of the command line that stand beside other advice are left out."""


def on_the_page(message: object) -> str:
    """A message, or an error's, as the page says it."""
    text = str(message)
    for pattern, words in (*ADVICE, *OTHERWISE):
        text = re.sub(pattern, words, text, flags=re.DOTALL)
    return text
