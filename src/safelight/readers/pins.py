"""Digests of the readers that the package carries; written by ``training/readers``."""

from typing import Final

PINS: Final[dict[str, str]] = {
    "chest-opacity": "c74e5f1884116a034b2aa2683b272f27190fa1e5a8ad1a2a691ebbf14619bf3f",
    "tuberculosis": "ec2a7763f2c3b358a21bc5707063c9668910fafce01737631d7b9fd5f26d8e20",
    "breast-malignancy": "bc74a56a4247ec6bd2cd0d80f2894b87def6d2a38c63beae0f40954f3085c597",
    "breast-lesion": "92eb76e0e6563b3cb48b435d3b0f2a1f3ad77cac866f0d4bbf375b544439b4f1",
    "mammogram-lesion": "d25c02e607be209307879126fc055fcf5eab56d2197e586e071dc231afe93820",
    "head-bleed": "443bd766b73bb23276188a0b5ae0215fb97a5c8d4edef3acefbae0e2aebea100",
    "brain-glioma": "893137debc9312eed3a53bedb1e083ed234136f3b665ba29887a92cfc415ecba",
    "brain-meningioma": "d9ae39b1ddc94ea0b4ee3feb114166fb6bc6c9d736e99ff47a053658f831fb82",
    "brain-pituitary": "04d9bd58fde1b1b3c7f0344268368dad7fd99cd0965f713ce0879fd46b57c5e6",
}
