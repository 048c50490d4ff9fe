"""Commands about who may see what is not public."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from allofus_spark.cli.access_screen import access_audit, access_check, access_list, access_report
from allofus_spark.cli.options import common_options, open_warehouse

if TYPE_CHECKING:
    from allofus_spark.access import Tier

_DAY = click.DateTime(["%Y-%m-%d"])
_TIERS = click.Choice(["registered", "controlled"])
_note_option = click.option("--note", metavar="TEXT", help="Why; kept beside the event.")


@click.group("access")
def access_group() -> None:
    """Researchers, their tiers and passports, and every decision about access.

    Counts that are not disclosure-controlled (the zone registered/) need the Registered tier; rows of single
    people (controlled/) need the Controlled tier. From nothing to both:

    \b
      allofus access institution "University of X" --tier registered --tier controlled --until 2027-12-31
      allofus access register ada --name "Ada Lovelace" --institution "University of X" \\
          --passport-issuer https://login.example.org/oidc --passport-subject 1234
      allofus access module ada responsible_conduct
      allofus access sign ada
      allofus access grant ada --tier registered
      allofus access module ada controlled_data
      allofus access grant ada --tier controlled
      allofus access check ada --tier controlled --passport ada.jwt

    Then ada runs, say, allofus export --format vcf --out cohort.vcf.gz --passport ada.jwt. What happened is
    in access_events, which is never changed; what somebody may do is computed from it. Every decision,
    granted or refused, is in access_audit. Set up [access] first: docs/access.md says how.
    """


@access_group.command("register")
@click.argument("researcher")
@click.option("--name", required=True, help="Name of the person.")
@click.option("--institution", required=True, help="Their institution, as its agreement names it.")
@click.option("--passport-issuer", metavar="URL", help="iss of their passports.")
@click.option("--passport-subject", metavar="SUB", help="sub of their passports.")
@click.option("--disabled", is_flag=True, help="Leave a new account disabled until access enable.")
@common_options
def access_register(
    researcher: str,
    name: str,
    institution: str,
    passport_issuer: str | None,
    passport_subject: str | None,
    disabled: bool,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Register RESEARCHER, an id that you choose, or enter anew who they are.

    Registering somebody again changes their name, institution or passport; their trainings and grants stay.
    Give iss and sub of their passports: without them none is known as theirs.
    """
    from allofus_spark.access import register

    if (passport_issuer is None) != (passport_subject is None):
        raise click.UsageError("--passport-issuer and --passport-subject go together")
    identity = None if passport_issuer is None else (passport_issuer, passport_subject or "")
    with open_warehouse("access register", settings_file, warehouse, overrides) as tables:
        register(
            tables, researcher, name=name, institution=institution, identity=identity, enable=not disabled
        )
        click.echo(f"{researcher} is registered. What they need next: allofus access check {researcher}")


@access_group.command("institution")
@click.argument("institution")
@click.option("--tier", "tiers", required=True, multiple=True, type=_TIERS, help="May be repeated.")
@click.option("--from", "valid_from", type=_DAY, help="First day (default: today, UTC).")
@click.option("--until", "valid_until", type=_DAY, help="Last day (default: no end).")
@_note_option
@common_options
def access_institution(
    institution: str,
    tiers: tuple[str, ...],
    valid_from: dt.datetime | None,
    valid_until: dt.datetime | None,
    note: str | None,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Enter the agreement that INSTITUTION has signed, for one tier or both.

    It takes the place of an earlier one for the same tier. To end one, give --until a day that has passed.
    """
    from allofus_spark.access import agree

    with open_warehouse("access institution", settings_file, warehouse, overrides) as tables:
        agree(
            tables,
            institution,
            [_tier(name) for name in tiers],
            valid_from=valid_from.date() if valid_from else None,
            valid_until=valid_until.date() if valid_until else None,
            note=note,
        )
        until = f"until {valid_until:%Y-%m-%d}" if valid_until else "without end"
        click.echo(f"{institution} has an agreement for {', '.join(tiers)}, {until}")


@access_group.command("module")
@click.argument("researcher")
@click.argument("module")
@click.option("--on", "day", type=_DAY, help="Day on which it was completed (default: now).")
@click.option("--expired", is_flag=True, help="It counts no more, before access.module_days are over.")
@_note_option
@common_options
def access_module(
    researcher: str,
    module: str,
    day: dt.datetime | None,
    expired: bool,
    note: str | None,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Enter that RESEARCHER completed the training MODULE; it counts for access.module_days.

    Which trainings there are: access.registered_modules and access.controlled_modules.
    """
    at = None if day is None else day.replace(tzinfo=dt.timezone.utc)
    if at is not None and at > dt.datetime.now(dt.timezone.utc):
        raise click.UsageError("--on: a training cannot have been completed in the future")
    event = "module_expired" if expired else "module_completed"
    _record(researcher, event, module, note, at, (settings_file, warehouse, overrides))


@access_group.command("sign")
@click.argument("researcher")
@click.option("--version", metavar="VERSION", help="Version signed (default: access.code_of_conduct).")
@common_options
def access_sign(
    researcher: str,
    version: str | None,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Enter that RESEARCHER signed the data user code of conduct."""
    from allofus_spark.access import record

    with open_warehouse("access sign", settings_file, warehouse, overrides) as tables:
        signed = version or tables.settings.access.code_of_conduct
        record(tables, researcher, "code_of_conduct_signed", item=signed)
        click.echo(f"{researcher}: code of conduct signed, version {signed}")


@access_group.command("enable")
@click.argument("researcher")
@_note_option
@common_options
def access_enable(
    researcher: str,
    note: str | None,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Enable the account of RESEARCHER."""
    _record(researcher, "account_enabled", None, note, None, (settings_file, warehouse, overrides))


@access_group.command("disable")
@click.argument("researcher")
@_note_option
@common_options
def access_disable(
    researcher: str,
    note: str | None,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Disable the account of RESEARCHER: from now on nothing is shown to them."""
    _record(researcher, "account_disabled", None, note, None, (settings_file, warehouse, overrides))


@access_group.command("grant")
@click.argument("researcher")
@click.option("--tier", required=True, type=_TIERS)
@_note_option
@common_options
def access_grant(
    researcher: str,
    tier: str,
    note: str | None,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Grant RESEARCHER a tier, if all its other rules hold; else say which do not."""
    from allofus_spark.access import grant

    with open_warehouse("access grant", settings_file, warehouse, overrides) as tables:
        grant(tables, researcher, _tier(tier), note=note)
        click.echo(f"{researcher} has the {tier} tier")


@access_group.command("revoke")
@click.argument("researcher")
@click.option("--tier", required=True, type=_TIERS)
@_note_option
@common_options
def access_revoke(
    researcher: str,
    tier: str,
    note: str | None,
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Revoke a tier; without the Registered one the Controlled one does not hold either."""
    from allofus_spark.access import revoke

    with open_warehouse("access revoke", settings_file, warehouse, overrides) as tables:
        revoke(tables, researcher, _tier(tier), note=note)
        click.echo(f"{researcher} has the {tier} tier no more")


def _record(
    researcher: str,
    event: str,
    item: str | None,
    note: str | None,
    at: dt.datetime | None,
    common: tuple[str | None, str | None, tuple[str, ...]],
) -> None:
    from allofus_spark.access import record

    said = event.replace("_", " ")
    with open_warehouse("access", *common) as tables:
        record(tables, researcher, event, item=item, note=note, at=at)
        click.echo(f"{researcher}: {said}{f', {item}' if item else ''}")


def _tier(name: str) -> Tier:
    from allofus_spark.access import Tier

    return Tier(name)


for command in (access_check, access_list, access_report, access_audit):
    access_group.add_command(command)
