"""The text-pixel segmenter: synthetic crops, training, hard negatives, export, check.

The order of the steps is in ``docs/models/text-segmenter.md``; torch is needed by ``train`` alone.
"""
