"""Alembic migrations, inside the package: a database is brought to this version by ``upgrade``.

A database that is made new gets its tables from the same ``MetaData``; a test compares the two.
"""
