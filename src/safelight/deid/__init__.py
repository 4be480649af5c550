"""De-identification: the one walk, its decisions, and the check that makes a ``Deidentified``."""
