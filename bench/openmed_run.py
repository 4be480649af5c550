"""Run openmed's header de-identification over a folder (it has no command for that)."""

import sys
import warnings
from pathlib import Path

from openmed.multimodal.dicom import deidentify_dicom_headers  # type: ignore[import-not-found]  # lives in the peer's own environment


def main() -> None:
    """De-identify the files of one folder into another with default options."""
    warnings.simplefilter("ignore")
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        policy = {"output_path": str(target / path.name)}
        deidentify_dicom_headers(path, policy=policy)


if __name__ == "__main__":
    main()
