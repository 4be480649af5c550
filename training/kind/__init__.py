"""How the kind reader's pixel half is trained; see docs/models/kind.md."""
