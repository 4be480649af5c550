"""The floor: read every file with pydicom and write it back, nothing done."""

import sys
import warnings
from pathlib import Path

import pydicom


def main() -> None:
    """Copy the DICOM files of one folder into another through pydicom."""
    warnings.simplefilter("ignore")
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        pydicom.dcmread(path, force=True).save_as(target / path.name)


if __name__ == "__main__":
    main()
