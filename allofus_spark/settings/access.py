"""The section about who may see data of single people."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from allofus_spark.settings.section import MIB, FilterNames, Section, as_tuple

# Types of visas that GA4GH Passport 1.2 defines.
VisaType = Literal[
    "AffiliationAndRole",
    "AcceptedTermsAndPolicies",
    "ResearcherStatus",
    "ControlledAccessGrants",
    "LinkedIdentities",
]


class Issuer(Section):
    """One issuer of passports or visas that is trusted, with its keys: what is not here is not trusted."""

    url: str = Field(min_length=1, max_length=255, description="``iss`` of its tokens, byte for byte.")
    jwks_file: str = Field(min_length=1, description="JSON Web Key Set with its public keys, a local file.")
    issues: Annotated[
        tuple[Literal["passport"] | VisaType, ...],
        Field(min_length=1),
        BeforeValidator(as_tuple),
    ] = Field(description="What it is trusted to issue: passport, and types of visas.")
    jku: str | None = Field(
        None, description="``jku`` that its visas carry. It is compared and never fetched; visas need it."
    )
    sources: FilterNames = Field(
        (), description="``source`` of visas that count; none: any that it vouches for."
    )
    subjects_of: str | None = Field(
        None,
        description="Issuer whose subjects its visas name, as in one federation. None: subjects of its own, "
        "and a LinkedIdentities visa must say whose they are.",
    )

    @model_validator(mode="after")
    def _visas_have_a_jku(self) -> Issuer:
        if self.jku is None and set(self.issues) != {"passport"}:
            raise ValueError(f"issuer {self.url} issues visas: give the jku that they carry")
        return self


def _are_one_each(issuers: tuple[Issuer, ...]) -> tuple[Issuer, ...]:
    urls = [issuer.url for issuer in issuers]
    if repeated := sorted({url for url in urls if urls.count(url) > 1}):
        raise ValueError(f"give each issuer once; repeated: {', '.join(repeated)}")
    return issuers


class AccessSettings(Section):
    """Who may see what is not public: tiers, and passports of the GA4GH."""

    enforce: bool = Field(
        False,
        description="Demand a tier and a passport (--passport) of who asks for rows of single people, or for "
        "counts that are not disclosure-controlled. Off on a laptop, whose owner has the files anyway; on "
        "in conf/cluster.toml.",
    )
    dataset_url: str | None = Field(
        None,
        min_length=1,
        max_length=255,
        description="What a ControlledAccessGrants visa must grant, byte for byte: the permanent address of "
        "this warehouse's data set. At most 255 characters, as the specification has it.",
    )
    audience: str | None = Field(
        None,
        min_length=1,
        description="Name of this service, which the aud of a passport must hold, so that one that was made "
        "out to another service opens nothing here.",
    )
    issuers: Annotated[tuple[Issuer, ...], AfterValidator(_are_one_each), BeforeValidator(as_tuple)] = Field(
        (),
        description="[[access.issuers]], a table each: url, jwks_file, issues (passport and types of visas), "
        "jku, and where needed sources and subjects_of. Nobody else's token is believed, and no key is "
        "fetched.",
    )
    registered_access_url: str = Field(
        "https://doi.org/10.1038/s41431-018-0219-y",
        min_length=1,
        max_length=255,
        description="Value that AcceptedTermsAndPolicies and ResearcherStatus must have: the version of "
        "Registered Access of Dyke et al. 2018, as GA4GH Passport 1.2 names it.",
    )
    granted_by: FilterNames = Field(
        ("dac",),
        description="by of a ControlledAccessGrants visa that counts: a data access committee. Of self, "
        "peer, system, so, dac; nobody grants access to themselves or a peer.",
    )
    leeway_seconds: int = Field(
        60,
        ge=0,
        le=600,
        description="How far clocks may be apart where exp, nbf and iat are held against this machine's.",
    )
    max_assertion_days: int = Field(
        365,
        ge=1,
        description="A visa counts for so long after it was asserted, whatever its exp: a year, as long as a "
        "training does.",
    )
    max_passport_bytes: int = Field(
        64 * 1024,
        ge=1024,
        le=MIB,
        description="Longest passport that is looked at. A visa takes about 1 kB signed; the headers that "
        "carry passports end at 8 to 64 kB.",
    )
    max_visas: int = Field(
        50,
        ge=1,
        le=1_000,
        description="Most visas of a passport; each costs a signature to verify, some 0.1 ms.",
    )
    code_of_conduct: str = Field(
        "1",
        min_length=1,
        description="Version of the data user code of conduct that researchers must have signed. Raise it, "
        "and everybody must sign anew.",
    )
    registered_modules: FilterNames = Field(
        ("responsible_conduct",),
        description="Trainings that the Registered tier needs, each complete and not expired.",
    )
    controlled_modules: FilterNames = Field(
        ("controlled_data",),
        description="Trainings that the Controlled tier needs beside those of the Registered tier.",
    )
    module_days: int = Field(
        365,
        ge=1,
        description="Days after which a training has expired. All of Us: renewed every year.",
    )
    audit_wait_seconds: float = Field(
        300.0,
        ge=0,
        description="Seconds to wait where another process writes to the audit; after them access is "
        "refused. Writing takes seconds; longer than lease.expiry_seconds, so that a claim left by a machine "
        "that went down is outlived.",
    )

    @field_validator("granted_by")
    @classmethod
    def _is_of_the_vocabulary(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names or (odd := sorted(set(names) - {"self", "peer", "system", "so", "dac"})):
            raise ValueError(f"must be of self, peer, system, so, dac: {', '.join(odd) if names else 'none'}")
        return names
