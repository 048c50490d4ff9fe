"""Commands about the cohort's people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from allofus_spark.cli.options import (
    column_option,
    common_options,
    echo_counters,
    named_columns,
    open_warehouse,
)
from allofus_spark.cli.screen import bar, grid, screen

if TYPE_CHECKING:
    from allofus_spark.representation import Report

_BAR_WIDTH = 10
_DEFINITIONS = Path(__file__).parents[1] / "representation" / "data" / "definitions.tsv"


@click.command(
    "ingest-persons",
    epilog=f"\b\nDefinitions: {_DEFINITIONS}\nor the file of representation.definitions_file",
)
@column_option("such as person_id=participant")
@click.option(
    "--samples-are-persons",
    is_flag=True,
    help="The file has no sample ids: the sample of a person is the one with the person's id.",
)
@click.option("--from-omop", is_flag=True, help="Take persons from omop_person, without a file.")
@click.argument("file", required=False)
@common_options
def ingest_persons_command(
    columns: tuple[str, ...],
    samples_are_persons: bool,
    from_omop: bool,
    file: str | None,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Read the cohort's people from a TSV or CSV with a header, in the place of those held before.

    \b
    person_id                                needed; one line a person, or one for each sample
    sample_id                                the sample of the person, if there is one
    enrolled_on                              YYYY-MM-DD
    age_at_enrolment_years, birth_date, year_of_birth
    race_ethnicity, sex_at_birth, gender_identity, sexual_orientation, income,
    education, geography, disability, access_to_care
                                             answers as they are; ; or | between several

    \b
    person_id  sample_id  enrolled_on  year_of_birth  race_ethnicity  income
    P1         S1         2019-05-06   1961           Black; White    10000 to 24999
    P1         S2

    A further line of a person may leave cells empty or repeat them; one that says something else is refused.
    With --from-omop race, ethnicity, sex and birth are those of omop_person; enrolled_on is the first day of
    a person's records, as the CDM has no day of enrolment. Samples of persons stay as they are.

    A category without a column is not asked, which is not no. Which answer means what is in the definitions
    named below.
    """
    from allofus_spark.representation import ingest_persons, ingest_persons_from_omop

    if from_omop == (file is not None):
        raise click.UsageError("give a FILE of persons, or --from-omop")
    if from_omop and (columns or samples_are_persons):
        raise click.UsageError("--column and --samples-are-persons are about a FILE; leave them out")
    named = named_columns(columns, example="person_id=participant")
    with open_warehouse("ingest-persons", settings_file, warehouse, overrides) as tables:
        if file is None:
            counters = ingest_persons_from_omop(tables)
        else:
            counters = ingest_persons(tables, file, columns=named, samples_are_persons=samples_are_persons)
        echo_counters(f"persons are in {tables.root}", counters)


@click.command("report-cohort")
@common_options
def report_cohort_command(
    settings_file: str | None, warehouse: str | None, overrides: tuple[str, ...]
) -> None:
    """Tell how many people are of communities under-represented in biomedical research.

    By category and enrolment month, with and without genomes; printed, written to representation, and drawn
    in registered/pictures/representation.html. Counts are internal: they are not disclosure-controlled.
    """
    from allofus_spark.representation import report_cohort

    with open_warehouse("report-cohort", settings_file, warehouse, overrides) as tables:
        draw_report(report_cohort(tables), screen())


def draw_report(report: Report, console: Console) -> None:
    """Print the headline shares, then the categories, then what is not known."""
    from allofus_spark.tables.person_tables import EVERYBODY, INTERNAL, WITH_GENOMES

    console.print(_headline(report))
    console.print(
        f"Definitions {report.definitions_version}. {INTERNAL.capitalize()}. Shares are of all people, "
        "those of whom it is not known included."
    )
    for warning in report.warnings:
        console.print(f"warning: {warning}", style="yellow", markup=False)
    if report.warnings:
        console.print(report.advice, style="yellow", markup=False, soft_wrap=True)
    console.print(_by_category(report, "Everybody", EVERYBODY))
    console.print(_by_category(report, "With genomes", WITH_GENOMES))
    if report.not_asked:
        console.print(f"Not asked, as the file of persons has no such column: {', '.join(report.not_asked)}.")
    if any(group.n_linked for group in report.linkage.values()):
        console.print(_records(report))
    console.print(f"Enrolment by month and the bars as a picture: {report.picture}", markup=False)


def shown_count(number: int) -> str:
    """A number of people as it is shown: the one place through which counts reach the screen."""
    return f"{number:,}"


def _headline(report: Report) -> Table:
    from allofus_spark.tables.person_tables import ANY, EVERYBODY, WITH_GENOMES, WITHOUT_GENOMES

    columns = {"everybody": EVERYBODY, "with genomes": WITH_GENOMES, "without genomes": WITHOUT_GENOMES}
    table = grid("", "", *columns, numbers=tuple(columns))
    people = [report.of(ANY, name) for name in columns.values()]
    table.add_row("[bold]People[/]", *(shown_count(row.n_people) for row in people))
    lines = {
        "[bold]Under-represented in any category[/]": ANY,
        "[bold]Racial and ethnic minorities[/]": "race_ethnicity",
    }
    for label, category in lines.items():
        rows = [report.of(category, name) for name in columns.values()]
        table.add_row(label, *(_share(row.share_under_represented) for row in rows))
    return table


def _by_category(report: Report, title: str, people: str) -> Table:
    from allofus_spark.tables.person_tables import ANY, CATEGORIES

    numbers = ("under-represented", "%", "not", "not %", "unknown", "unknown %", "not asked")
    table = grid(title, "", *numbers[:2], " ", *numbers[2:], numbers=numbers)
    for category in (ANY, *CATEGORIES):
        row = report.of(category, people)
        table.add_row(
            category,
            shown_count(row.n_under_represented),
            _share(row.share_under_represented),
            bar(row.share_under_represented or 0, _BAR_WIDTH),
            shown_count(row.n_not),
            _share(row.share_not),
            shown_count(row.n_unknown),
            _share(row.share_unknown),
            shown_count(row.n_not_asked),
        )
    return table


def _records(report: Report) -> Table:
    from allofus_spark.tables.person_tables import EVERYBODY, WITH_GENOMES, WITHOUT_GENOMES

    columns = ("people", "with records", "median years", "quartiles")
    table = grid("Health records", "", *columns, numbers=columns)
    groups = {"everybody": EVERYBODY, "with genomes": WITH_GENOMES, "without genomes": WITHOUT_GENOMES}
    for label, people in groups.items():
        group = report.linkage[people]
        years = ["", ""]
        if group.quartiles:
            first, median, third = group.quartiles
            years = [f"{median:.1f}", f"{first:.1f} to {third:.1f}"]
        table.add_row(label, shown_count(group.n_people), shown_count(group.n_linked), *years)
    return table


def _share(share: float | None) -> str:
    return "no people" if share is None else f"{100 * share:.1f} %"
