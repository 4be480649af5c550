"""The text-pixel segmenter: synthetic crops, training, hard negatives, export, check.

Run in this order, from the root of the tree (torch is needed by ``train`` alone)::

    python -m training.burned.crops OUT --data DIR --count 60000 --seed 1
    python -m training.burned.train OUT --minutes 60
    python -m training.burned.mine OUT --data DIR --model text.onnx
    python -m training.burned.check --data DIR --model text.onnx
"""
