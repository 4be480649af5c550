"""Images with writing burned in, whose truth is known by the character, and their scorer.

Written apart from the finder: nothing here imports ``safelight``, shares its grammar or its
training generator. ``make`` writes DICOM objects and photographs of films; ``score`` compares what
any tool wrote, or a list of boxes, with the ink of each character.
"""
