"""The page: people hand in, see what was taken out, read what can be said, decide what may be done.

An edge: it shows what the rooms below know and passes on what people ask for.
"""
