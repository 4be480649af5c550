"""Write the packaged reference populations from the United Nations' own text tables.

python scripts/make_population.py FOLDER

FOLDER holds ``popMprojMed.txt`` and ``popFprojMed.txt`` of World Population Prospects 2019, as the
Population Division publishes them for R (https://CRAN.R-project.org/package=wpp2019, version
1.1-1): medium variant, 2025, thousands by five-year age group. (c) United Nations, CC BY 3.0 IGO.
"""

import csv
import os
import sys
from collections import defaultdict

from babel.core import get_global

YEAR = "2025"
TARGET = os.path.join(
    os.path.dirname(__file__), "..", "src", "safelight", "learning", "data", "wpp2019-2025.csv"
)
BANDS = [f"{start}-{start + 4}" for start in range(0, 90, 5)] + ["90+"]


def main(folder: str) -> None:
    """Write the table: one line for each area and sex, people by age band."""
    alpha = get_global("territory_aliases")
    people: dict[tuple[int, str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for sex in "FM":
        with open(os.path.join(folder, f"pop{sex}projMed.txt"), encoding="utf-8") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                start = int(row["age"].rstrip("+").split("-")[0])
                band = BANDS[min(start // 5, len(BANDS) - 1)]
                people[int(row["country_code"]), row["name"], sex][band] += float(row[YEAR])
    with open(TARGET, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["code", "alpha2", "name", "sex", *BANDS])
        for (code, name, sex), counts in sorted(people.items()):
            found = alpha.get(f"{code:03d}", [""]) if code < 900 else [""]
            letters = found[0] if len(found) == 1 and len(found[0]) == 2 else ""
            rows = [round(counts[band] * 1000) for band in BANDS]
            writer.writerow([code, letters, name, sex, *rows])
    print(f"{TARGET}: {len(people)} lines")


if __name__ == "__main__":
    main(sys.argv[1])
