"""What each family of person keys finds on real lists, and what it costs.

    python benchmarks/person_keys.py [DATA]

DATA is the folder of public data (default: ``../shared/data`` beside the checkout). Two comparisons: the UN list of
2025-04 with OFAC's of 2021-07, and the UN list of 2018-06 with the UK's of 2018-04. Columns:

recall     share of the known pairs of one person whose two entries share a key
hits       pairs of entries that share a key; a list of known pairs is far from complete, so most others are true too
doubtful   hits beyond the first of one UN entry: as a person stands once in a list, at least so many are false
keys       keys per person: what a blind match has to evaluate

Then pairs of names that people judged to be the same person's or not (``names/name_bench_cases.csv``, adversarial on
both sides), each pair given one birth date: the share that meets.
"""

import csv
import re
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from palermo.intake import format_of
from palermo.subjects import Entity
from palermo.subjects.selectors import selectors_of
from palermo.subjects.selectors.person import FAMILIES, of_entity, readings

Keys = Callable[[Entity], Iterable[str]]
Pairs = set[tuple[str, str]]

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
OFAC = tuple(f"lists/ofac/2021-07_{part}.csv" for part in ("sdn", "alt", "add"))
COMPARISONS = (
    ("UN 2025-04 with OFAC 2021-07", "lists/un/un_2025-04-19.xml", "ofac-sdn", OFAC, "ofac", "ofac-"),
    (
        "UN 2018-06 with UK 2018-04",
        "lists/un/un_2018-06-21.xml",
        "uk-conlist",
        ("lists/uk/conlist_2018-04-13.csv",),
        "uk_2018",
        "uk-",
    ),
)


def people(data: Path, code: str, files: Sequence[str]) -> list[Entity]:
    """Persons of a list; its other entries are left out."""
    entities = format_of(code).read([data / name for name in files], lambda reject: None)
    return [entity for entity in entities if entity.schema == "Person"]


def known_pairs(data: Path, source: str, prefix: str, present: set[str]) -> Pairs:
    """Pairs of one person, UN id first, whose two entries are in the lists compared."""
    with (data / "truth" / "cross_list_pairs.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if (row["src_a"], row["src_b"], row["type"]) == ("un", source, "P")]
    pairs = {(f"un-{row['id_a']}", f"{prefix}{row['id_b']}") for row in rows}
    return {pair for pair in pairs if present.issuperset(pair)}


def plain_names(entity: Entity) -> Iterator[str]:
    """The plain comparison: accents and case gone, words sorted, nothing else."""
    for name in entity.names:
        bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
        yield " ".join(sorted(re.findall(r"\w+", bare.casefold())))


def only(family: str) -> Keys:
    """Keys of one family."""
    return lambda entity: chain.from_iterable(map(FAMILIES[family], readings(entity)))


def all_but(family: str) -> Keys:
    """Keys of the other families."""
    others = [keys for name, keys in FAMILIES.items() if name != family]
    return lambda entity: (key for reading in readings(entity) for keys in others for key in keys(reading))


def hits(ours: Sequence[Entity], theirs: Sequence[Entity], keys: Keys) -> Pairs:
    """Pairs of entries that share a key."""
    holders: dict[str, set[str]] = {}
    for entity in theirs:
        for key in keys(entity):
            holders.setdefault(key, set()).add(entity.id)
    return {(entity.id, other) for entity in ours for key in keys(entity) for other in holders.get(key, ())}


def compare(title: str, ours: list[Entity], theirs: list[Entity], known: Pairs) -> None:
    """Print the table of one comparison."""
    print(f"\n{title}: {len(ours):,} and {len(theirs):,} persons, {len(known)} known pairs")
    print(f"{'keys':<28}{'recall':>8}{'hits':>8}{'doubtful':>10}{'keys':>8}")
    families = {f"only {name}": only(name) for name in FAMILIES} | {
        f"without {name}": all_but(name) for name in FAMILIES
    }
    for name, keys in {"plain comparison": plain_names, **families, "all": of_entity}.items():
        found = hits(ours, theirs, keys)
        doubtful = len(found) - len({pair[0] for pair in found})
        count = sum(len(set(keys(entity))) for entity in ours + theirs) / len(ours + theirs)
        print(f"{name:<28}{len(found & known) / len(known):>8.1%}{len(found):>8,}{doubtful:>10,}{count:>8.2f}")


def judge(data: Path) -> None:
    """Print which judged pairs of names share a key."""
    with (data / "names" / "name_bench_cases.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["schema"] == "Person"]
    same = [row for row in rows if row["is_match"] == "true"]
    different = [row for row in rows if row["is_match"] == "false"]
    print(f"\nJudged names, one birth date: {len(same)} pairs of one person, {len(different)} of two")
    print(f"{'keys':<28}{'same':>8}{'different':>11}")
    families = {f"only {name}": only(name) for name in FAMILIES} | {
        f"without {name}": all_but(name) for name in FAMILIES
    }
    for name, keys in {"plain comparison": plain_names, **families, "all": of_entity}.items():
        shares = (sum(_meets(row, keys) for row in part) / len(part) for part in (same, different))
        print("{:<28}{:>8.1%}{:>11.1%}".format(name, *shares))


def _meets(row: dict[str, str], keys: Keys) -> bool:
    """Whether both names of a row, born on one day, share a key."""
    one, other = (
        Entity(name, "Person", {"name": (row[name],), "birthDate": ("1965-03-02",)}) for name in ("name1", "name2")
    )
    return not set(keys(one)).isdisjoint(keys(other))


def main() -> None:
    """Print the tables and the speed."""
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    if not data.is_dir():
        sys.exit(f"the public data folder {data} is absent: give its path as the argument")
    everybody: list[Entity] = []
    for title, un_file, code, files, source, prefix in COMPARISONS:
        ours, theirs = people(data, "un-sc", [un_file]), people(data, code, files)
        known = known_pairs(data, source, prefix, {entity.id for entity in ours + theirs})
        compare(title, ours, theirs, known)
        everybody += ours + theirs
    judge(data)
    start = time.perf_counter()
    count = sum(1 for entity in everybody for _ in selectors_of(entity))
    seconds = time.perf_counter() - start
    rate = len(everybody) / seconds
    print(f"\n{count:,} selectors of {len(everybody):,} persons: {rate:,.0f} persons a second on one core")


if __name__ == "__main__":
    main()
