"""Digests of the readers that the package carries; written by ``training/readers``."""

from typing import Final

PINS: Final[dict[str, str]] = {
    "chest-opacity": "c74e5f1884116a034b2aa2683b272f27190fa1e5a8ad1a2a691ebbf14619bf3f",
    "tuberculosis": "ec2a7763f2c3b358a21bc5707063c9668910fafce01737631d7b9fd5f26d8e20",
    "breast-malignancy": "b9bd7e2a80caea021aab6bd989d3a02f5161ae4929787e722adbb95165f5eff4",
    "breast-lesion": "0fe3eedf1705853ee33dea2c16bc51d6ec9f90c055554467a5b16ac88bd00a90",
    "mammogram-lesion": "d25c02e607be209307879126fc055fcf5eab56d2197e586e071dc231afe93820",
    "head-bleed": "5128a207dca441561fbaa0bb819a8d0d7f29d4b735c44000139496870eb9b05f",
    "brain-glioma": "893137debc9312eed3a53bedb1e083ed234136f3b665ba29887a92cfc415ecba",
    "brain-meningioma": "d9ae39b1ddc94ea0b4ee3feb114166fb6bc6c9d736e99ff47a053658f831fb82",
    "brain-pituitary": "04d9bd58fde1b1b3c7f0344268368dad7fd99cd0965f713ce0879fd46b57c5e6",
}
