"""Consent: purposes, policies, what each person said, and taking everything back.

Default no. Every use asks ``Consents.may`` at its start and again at its commit.
"""
