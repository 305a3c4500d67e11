"""What each format rejects and refuses, and how its rules show; whole samples are in the laws."""

import shutil
from pathlib import Path

import pytest

from palermo.intake import IntakeError, Reject, format_of, intake
from palermo.intake.model import MAX_ENTITY_CHARACTERS, Draft
from palermo.subjects import Entity

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "intake"


def read(code: str, *paths: Path) -> tuple[list[Entity], list[Reject]]:
    rejects: list[Reject] = []
    return list(format_of(code).read(paths, rejects.append)), rejects


def reasons(rejects: list[Reject]) -> list[tuple[int, str]]:
    return [(reject.line, reject.reason) for reject in rejects]


def test_unknown_format_names_those_there_are() -> None:
    with pytest.raises(IntakeError, match="csv, ftm, ofac-sdn, uk-conlist, un-sc"):
        format_of("goaml")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"id":"a b","schema":"Person","properties":{}}', "'id'"),
        ('{"id":"x","schema":"Spoon","properties":{"name":["x"]}}', "no schema 'Spoon'"),
        ('{"id":"x","schema":"Thing","properties":{"name":["x"]}}', "abstract"),
        ('{"id":"x","schema":"Person","properties":{"spoon":["x"]}}', "no property 'spoon'"),
        ('{"id":"x","schema":"Person","properties":{"birthDate":["yesterday"]}}', "no valid 'birthDate'"),
        ('{"id":"x","schema":"Person","properties":{"nationality":["Spoonland"]}}', "no valid 'nationality'"),
        ('{"id":"x","schema":"Person","properties":{"passportNumber":["' + "9" * 70 + '"]}}', "passportNumber"),
        ('{"id":"ok-1","schema":"Person","properties":{"name":["Twin"]}}', "second entity"),
        ("\udcff", "UTF-8"),
        ("x" * 1_048_580, "bytes"),
    ],
)
def test_ftm_rejects_a_line(tmp_path: Path, line: str, reason: str) -> None:
    good = [f'{{"id":"ok-{n}","schema":"Person","properties":{{"name":["Ada Quillfeather"]}}}}' for n in (1, 2)]
    path = tmp_path / "in.jsonl"
    path.write_bytes("\n".join([good[0], line, good[1]]).encode("utf-8", "surrogateescape"))
    entities, rejects = read("ftm", path)
    assert [entity.id for entity in entities] == ["ok-1", "ok-2"]
    assert [reject.line for reject in rejects] == [2]
    assert reason in rejects[0].reason


def un_list(tmp_path: Path, *records: str) -> Path:
    path = tmp_path / "list.xml"
    path.write_text("<CONSOLIDATED_LIST><INDIVIDUALS>\n" + "\n".join(records) + "\n</INDIVIDUALS></CONSOLIDATED_LIST>")
    return path


def individual(reference: str, name: str = "OZZY", more: str = "") -> str:
    first = f"<FIRST_NAME>{name}</FIRST_NAME>"
    return f"<INDIVIDUAL>{first}<REFERENCE_NUMBER>{reference}</REFERENCE_NUMBER>{more}</INDIVIDUAL>"


def test_un_rejects_a_record_and_loads_the_rest(tmp_path: Path) -> None:
    path = un_list(
        tmp_path,
        individual("XXi.001"),
        individual(""),
        individual("spoon"),
        individual("XXi.002", name=""),
        individual("XXi.001"),
        individual("XXi.003", more=f"<COMMENTS1>{'x' * 20_000}</COMMENTS1>"),
        individual("XXi.004"),
    )
    entities, rejects = read("un-sc", path)
    assert [entity.id for entity in entities] == ["un-XXi.001", "un-XXi.004"]
    assert [(line, reason[:20]) for line, reason in reasons(rejects)] == [
        (3, "no reference number"),
        (4, "'spoon' is no refere"),
        (5, "un-XXi.002 has no na"),
        (6, "a second entity with"),
        (7, "an element of more t"),
    ]


def test_un_keeps_what_the_model_has_no_room_for(tmp_path: Path) -> None:
    path = un_list(tmp_path, individual("XXi.001", more="<NATIONALITY><VALUE>Spoonland</VALUE></NATIONALITY>"))
    ((entity,), _) = read("un-sc", path)
    assert entity.properties["notes"] == ("nationality: Spoonland",)
    assert "nationality" not in entity.properties


def ofac_files(tmp_path: Path, sdn: str, alt: str = "", add: str = "") -> list[Path]:
    paths = []
    for name, text in (("one.txt", add), ("two.txt", sdn), ("three.txt", alt)):
        if text:
            (tmp_path / name).write_text(text)
            paths.append(tmp_path / name)
    return paths


NULLS = ",-0- " * 7
PERSON = f'7,"SPOON, Ozzy","individual","X",-0- {NULLS.removesuffix(",-0- ")},'


def test_ofac_files_are_known_by_their_shape_and_joined_by_uid(tmp_path: Path) -> None:
    paths = ofac_files(
        tmp_path,
        PERSON + "-0- \n" + PERSON.replace("7,", "8,", 1).replace("individual", "submarine") + "-0- \n9,short\n",
        '7,1,"nka","SPOON, Oz",-0- \n99,2,"aka","NOBODY",-0- \n',
        '7,1,"1 Drawer Lane","Sfax","Tunisia",-0- \n',
    )
    ((entity,), rejects) = read("ofac-sdn", *paths)
    assert entity.id == "ofac-7"
    assert entity.names == ("Ozzy SPOON", "Oz SPOON")
    assert entity.first("address") == "1 Drawer Lane, Sfax, Tunisia"
    assert [(Path(r.file).name, r.line) for r in rejects] == [("two.txt", 2), ("two.txt", 3), ("three.txt", 2)]


@pytest.mark.parametrize(
    ("remarks", "name", "values"),
    [
        ("DOB 01 Jan 1961 to 31 Dec 1962", "birthDate", ("1961", "1962")),
        ("Passport D000483, Diplomatic (Syria)", "passportNumber", ("D000483",)),
        ("alt. Passport 6067015 (Comoros) issued 1 Jan 2001.", "passportNumber", ("6067015",)),
        ("Cedula No. 7548733 (Colombia); alt. Cedula No. 70163752 (Colombia).", "idNumber", ("7548733", "70163752")),
        ("Citizen's Card Number 2112 (China)", "idNumber", ("2112",)),
        ("citizen Kenya; alt. citizen Tunisia", "citizenship", ("ke", "tn")),
        ("Matricula Mercantil No 181301-1 Cali (Colombia)", "registrationNumber", ("181301-1",)),
        ("a.k.a. 'EL SPOON'.", "weakAlias", ("EL SPOON",)),
        ("Telephone (254)(712123456)", "phone", ("+254712123456",)),
        ("Email:ozzy@spoon.example.", "email", ("ozzy@spoon.example",)),
        ("Eats soup; Linked To: FORKS.", "notes", ("Eats soup", "Linked To: FORKS.")),
        ("Passport unknown (Kenya)", "notes", ("Passport unknown (Kenya)",)),
        ("x" * 990 + "; Passport AB12", "notes", ("x" * 990, "Passport AB12")),
    ],
)
def test_ofac_remarks(tmp_path: Path, remarks: str, name: str, values: tuple[str, ...]) -> None:
    ((entity,), _) = read("ofac-sdn", *ofac_files(tmp_path, f'{PERSON}"{remarks}"\n'))
    assert entity.properties[name] == values


def test_ofac_without_its_main_file_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="SDN file"):
        read("ofac-sdn", VECTORS / "ofac-sdn" / "alt.csv")
    twin = tmp_path / "twin.csv"
    shutil.copy(VECTORS / "ofac-sdn" / "sdn.csv", twin)
    with pytest.raises(IntakeError, match="shape of sdn"):
        read("ofac-sdn", VECTORS / "ofac-sdn" / "sdn.csv", twin)
    with pytest.raises(IntakeError, match="none of OFAC"):
        read("ofac-sdn", VECTORS / "csv" / "people.csv")


def uk_list(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "uk.csv"
    path.write_text("\n".join(["Name 6,Name 1,Group Type,Alias Type,Alias Quality,DOB,Group ID", *rows]), "cp1252")
    return path


def test_uk_rows_of_a_group_meet_wherever_they_stand(tmp_path: Path) -> None:
    path = uk_list(
        tmp_path,
        "AESPOON,Oz,Individual,AKA,Low,00/00/1962,5",
        "FORK,,Ship,Prime Alias,,,6",
        "SPOON,Özzy,Individual,Prime Alias,,02/03/1961,5",
    )
    entities, rejects = read("uk-conlist", path)
    assert rejects == []
    assert [(entity.id, entity.schema, entity.caption) for entity in entities] == [
        ("uk-5", "Person", "Özzy SPOON"),
        ("uk-6", "Vessel", "FORK"),
    ]
    assert entities[0].properties["weakAlias"] == ("Oz AESPOON",)
    assert entities[0].properties["birthDate"] == ("1961-03-02", "1962")


def test_uk_rejects_rows_and_groups(tmp_path: Path) -> None:
    path = uk_list(
        tmp_path,
        "SPOON,Ozzy,Individual,Prime Alias,,,",
        "SPOON,Ozzy",
        "FORK,,Submarine,Prime Alias,,,6",
        "KNIFE,,Entity,Prime Alias,,,7",
        ",,Entity,Prime Alias,,,8",
    )
    entities, rejects = read("uk-conlist", path)
    assert [entity.id for entity in entities] == ["uk-7"]
    assert reasons(rejects) == [
        (2, "no Group ID"),
        (3, "2 columns where the header names 7"),
        (4, "unknown Group Type 'Submarine': Individual, Entity or Ship expected"),
        (6, "uk-8 has no name"),
    ]


def test_uk_wants_its_columns() -> None:
    with pytest.raises(IntakeError, match="Name 6"):
        read("uk-conlist", VECTORS / "csv" / "people.csv")


MAPPING = (VECTORS / "csv" / "mapping.toml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('schema = "Person"', 'schema = "Spoon"', "no schema"),
        ('schema = "Person"', "", "'schema' must be text"),
        ('schema = "Person"', 'schema = "Person"\nspoon = 1', "unknown key 'spoon'"),
        ('delimiter = ";"', 'delimiter = ";;"', "one character"),
        ('date_format = "%d/%m/%Y"', "date_format = 3", "date_format"),
        ('name = "Full name"', "", "must fill 'name'"),
        ("alias = {", "spoon = {", "no property 'spoon'"),
        ('separator = "|"', 'spoon = "|"', "unknown key"),
        ('{ value = "crime" }', "{}", "either 'columns' or 'value'"),
        ('name = "Full name"', "name = []", "columns must be"),
        ('name = "Full name"', 'name = "Fool name"', "no column 'Fool name'"),
        ("[id]", "[ids]", "unknown key 'ids'"),
        ("[id]", "[id", "no TOML"),
        ("schema", "#" * 70_000, "bytes"),
    ],
)
def test_csv_mapping_faults(tmp_path: Path, old: str, new: str, fault: str) -> None:
    (tmp_path / "m.toml").write_text(MAPPING.replace(old, new, 1))
    with pytest.raises(IntakeError, match=fault):
        read("csv", tmp_path / "m.toml", VECTORS / "csv" / "people.csv")


def test_csv_rejects_rows(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text(
        "Case;No;Full name;Known as;Born;Country;Telephone\n"
        "K;1;Ada;;1971-03-09;;\n"
        "K;2;;;;;\n"
        "K;;Ada;;;;\n"
        "K;4;Ada;;;Spoonland;\n"
        "K;5;Ada\n"
        "K;6;Ada;;;;\n"
        "K;6;Ada;;;;\n"
        "K 7;7;Ada;;;;\n"
    )
    entities, rejects = read("csv", VECTORS / "csv" / "mapping.toml", table)
    assert [entity.id for entity in entities] == ["bureau-K-6"]
    assert [(line, reason.split(" ")[0]) for line, reason in reasons(rejects)] == [
        (2, "'1971-03-09'"),
        (3, "no"),
        (4, "no"),
        (5, "'Spoonland'"),
        (6, "3"),
        (8, "a"),
        (9, "'id'"),
    ]


def test_csv_wants_one_mapping_and_a_table() -> None:
    with pytest.raises(IntakeError, match="one mapping"):
        read("csv", VECTORS / "csv" / "people.csv")
    with pytest.raises(IntakeError, match="one mapping"):
        read("csv", VECTORS / "csv" / "mapping.toml")


def test_csv_refuses_columns_of_the_same_name(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("Case;No;Full name;Known as;Born;Country;Telephone;No\n")
    with pytest.raises(IntakeError, match="same name"):
        read("csv", VECTORS / "csv" / "mapping.toml", table)


def test_an_entity_of_endless_text_is_rejected() -> None:
    draft = Draft("x-1", "Person")
    with pytest.raises(IntakeError, match="characters"):
        draft.each("notes", (str(n) + "x" * 1_000 for n in range(MAX_ENTITY_CHARACTERS // 1_000 + 1)))


def test_a_name_stands_under_its_strongest_property_alone() -> None:
    draft = Draft("x-1", "Person")
    draft.add("weakAlias", "Ozzy", "Oz")
    draft.add("alias", "Ozzy", "Oswald")
    draft.add("name", "Oswald")
    assert draft.entity().properties == {"name": ("Oswald",), "alias": ("Ozzy",), "weakAlias": ("Oz",)}


def test_outputs_appear_whole_or_not_at_all(tmp_path: Path) -> None:
    out, rejects = tmp_path / "out", tmp_path / "rejects"
    out.write_text("before")
    (tmp_path / "bad").write_text("{}\n")
    with pytest.raises(IntakeError, match="none of its rows") as caught:
        intake("ftm", [tmp_path / "bad"], out, rejects)
    assert caught.value.line == 1
    assert out.read_text() == "before"
    assert '"line": 1' in rejects.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad", "out", "rejects"]


def test_output_must_not_overwrite_input(tmp_path: Path) -> None:
    source = VECTORS / "ftm" / "people.jsonl"
    for out, rejects in ((source, None), (tmp_path / "x", tmp_path / "x"), (tmp_path / "x", source)):
        with pytest.raises(IntakeError, match="different files"):
            intake("ftm", [source], out, rejects)
    with pytest.raises(IntakeError, match="can't be written"):
        intake("ftm", [source], tmp_path / "no" / "folder")
