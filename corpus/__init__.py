"""Planted DICOM corpora and their scorer: the evidence that nothing identifying is left.

Written against the standard and against what leaks in practice, never against the inside of the
engine: nothing here imports ``safelight``. ``make`` builds files with invented identifiers in
every place text or bytes can stand, ``score`` looks for each of them in what any tool wrote.
"""
