"""The collector of a person's own values, filled while the headers of a study are surveyed."""

from dataclasses import dataclass, field

from safelight.deid.text.fold import fold

__all__ = ["Identity"]


@dataclass(slots=True)
class Identity:
    """What names one person, as found in headers. Held in memory only, never written.

    Attributes:
        names: The subject's names: DICOM PN values (``ROE^JANE=...=...``) or free forms.
        people: Other people's names (physicians, operators, relatives), same forms.
        ids: Patient IDs, accession numbers, order numbers, UIDs that must not stand in text.
        dates: Dates that identify, in DICOM form (``19600102``): birth, death. Other dates need
            not be listed; every date in text goes by its form.
        phrases: Institutions, departments, addresses, stations: words that are no vocabulary go.
        contacts: Phone numbers, e-mail addresses, web addresses.
    """

    names: set[str] = field(default_factory=set)
    people: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    dates: set[str] = field(default_factory=set)
    phrases: set[str] = field(default_factory=set)
    contacts: set[str] = field(default_factory=set)

    def update(self, other: "Identity") -> None:
        """Take over all values of another collector."""
        self.names |= other.names
        self.people |= other.people
        self.ids |= other.ids
        self.dates |= other.dates
        self.phrases |= other.phrases
        self.contacts |= other.contacts

    def holds(self, other: "Identity") -> bool:
        """Tell whether all values of another collector are here too."""
        return (
            self.names >= other.names
            and self.people >= other.people
            and self.ids >= other.ids
            and self.dates >= other.dates
            and self.phrases >= other.phrases
            and self.contacts >= other.contacts
        )

    def less(self, other: "Identity") -> "Identity":
        """Return the values that the other collector does not hold."""
        return Identity(
            names=self.names - other.names,
            people=self.people - other.people,
            ids=self.ids - other.ids,
            dates=self.dates - other.dates,
            phrases=self.phrases - other.phrases,
            contacts=self.contacts - other.contacts,
        )

    def digest_tokens(self) -> tuple[str, ...]:
        """Return all values, folded and sorted: the same set of values gives the same tuple."""
        every = (self.names, self.people, self.ids, self.dates, self.phrases, self.contacts)
        return tuple(
            sorted({f"{place}:{fold(v)}" for place, values in enumerate(every) for v in values})
        )

    def __repr__(self) -> str:
        count = sum(map(len, (self.names, self.people, self.ids, self.dates, self.phrases)))
        return f"Identity(<{count + len(self.contacts)} values>)"
