"""The right pixels, shown as a viewer shows them, and masked where something has to go."""
