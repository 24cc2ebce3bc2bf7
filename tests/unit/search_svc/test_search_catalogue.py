from pathlib import Path

import pytest

from services.search_svc import catalogue
from services.search_svc.catalogue import SHIPPED, CatalogueError
from services.search_svc.domain.entries import Character, Kind, Title

AKIRA = """
[[title]]
id = "akira"
name = "Akira"
kind = "anime"
year = 1988
aliases = ["アキラ"]
popularity = 80

  [[title.character]]
  id = "kaneda"
  name = "Shotaro Kaneda"
  aliases = ["Kaneda"]
  popularity = 70
  persona = "A cocky gang leader on a red bike, who jokes with Mr. Takeyama until a friend is in danger."
"""


def test_the_shipped_catalogue_has_enough_to_search() -> None:
    titles = [title for source in catalogue.load(SHIPPED) for title in source.titles]
    characters = [character for title in titles for character in title.characters]
    assert len(titles) >= 150
    assert len(characters) >= 600
    assert {title.kind for title in titles} == {Kind.FILM, Kind.SERIES, Kind.ANIME}
    assert [title.id for title in titles if not title.characters] == []
    assert [title.id for title in titles if not title.aliases] == []
    assert [character.id for character in characters if not character.aliases] == []


def test_a_file_becomes_titles_with_their_characters(tmp_path: Path) -> None:
    (tmp_path / "anime.toml").write_text(AKIRA)
    (source,) = catalogue.load(tmp_path)
    persona = "A cocky gang leader on a red bike, who jokes with Mr. Takeyama until a friend is in danger."
    kaneda = Character("kaneda", "Shotaro Kaneda", ("Kaneda",), persona, 70)
    assert source.name == "anime.toml"
    assert source.titles == (Title("akira", "Akira", Kind.ANIME, 1988, ("アキラ",), 80, (kaneda,)),)


def test_every_fault_in_every_file_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "anime.toml").write_text(AKIRA)
    broken = AKIRA
    for right, wrong in {
        "1988": "88",
        "80\n": "101\n",
        '"anime"': '"opera"',
        "アキラ": "!",
        '"kaneda"': '"K A"',
    }.items():
        broken = broken.replace(right, wrong)
    (tmp_path / "broken.toml").write_text(broken.replace("danger.", "danger. And so on."))
    (tmp_path / "other.toml").write_text(AKIRA.replace("danger.", "danger"))
    (tmp_path / "unreadable.toml").write_bytes(b"\xff")
    (tmp_path / "twice.toml").write_text(AKIRA.replace('["Kaneda"]', '["Kaneda", "Kaneda"]'))
    with pytest.raises(CatalogueError) as raised:
        catalogue.load(tmp_path)
    places = [line.split(": ")[1:3] for line in str(raised.value).splitlines()]
    assert places == [
        ["broken.toml", "title[0].kind"],
        ["broken.toml", "title[0].year"],
        ["broken.toml", "title[0].aliases[0]"],
        ["broken.toml", "title[0].popularity"],
        ["broken.toml", "title[0].character[0].id"],
        ["broken.toml", "title[0].character[0].persona"],
        ["other.toml", "title[0].character[0].persona"],
        ["unreadable.toml", "'utf-8' codec can't decode byte 0xff in position 0"],
        ["titles/akira stands 2 times"],
        ["characters/kaneda stands 2 times"],
        ["kaneda", "the alias 'Kaneda' stands 2 times"],
    ]


def test_a_folder_without_a_catalogue_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="there is no catalogue"):
        catalogue.load(tmp_path)
