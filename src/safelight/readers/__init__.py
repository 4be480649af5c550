"""Readers: they look at what is de-identified, say how sure they are, and else stay silent."""
