"""What people's images teach, while they consent: ledgers, heads solved from them, forgetting."""
