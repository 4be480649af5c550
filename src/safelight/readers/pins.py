"""Digests of the readers that the package carries; written by ``training/readers``."""

from typing import Final

PINS: Final[dict[str, str]] = {
    "chest-opacity": "c74e5f1884116a034b2aa2683b272f27190fa1e5a8ad1a2a691ebbf14619bf3f",
    "tuberculosis": "ec2a7763f2c3b358a21bc5707063c9668910fafce01737631d7b9fd5f26d8e20",
    "breast-malignancy": "0c86fe061e214306fd2b78a6b5d06f7fba06f0c0f8e01edf9844df03b4a2eb90",
    "breast-lesion": "c36a673eafd320d14caac0b6e667c87cb3b271a244ffcc2a674c8548ac5536ce",
    "mammogram-lesion": "d25c02e607be209307879126fc055fcf5eab56d2197e586e071dc231afe93820",
    "head-bleed": "7a64be4db9c6fd7a93c24cfb16fe9da5867b53b2285f57fe916a82d95c43610f",
    "brain-glioma": "893137debc9312eed3a53bedb1e083ed234136f3b665ba29887a92cfc415ecba",
    "brain-meningioma": "d9ae39b1ddc94ea0b4ee3feb114166fb6bc6c9d736e99ff47a053658f831fb82",
    "brain-pituitary": "04d9bd58fde1b1b3c7f0344268368dad7fd99cd0965f713ce0879fd46b57c5e6",
}
