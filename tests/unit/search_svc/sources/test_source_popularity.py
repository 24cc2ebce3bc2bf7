import pytest

from services.search_svc.sources import popularity


@pytest.mark.parametrize(
    ("counted", "told"), [(-1.0, 1.0), (0.0, 1.0), (0.05, 1.0), (29.0, 42.48), (3000.0, 100.0), (9386.4, 100.0)]
)
def test_tmdb_counts_without_an_end(counted: float, told: float) -> None:
    assert round(popularity.of_tmdb(counted), 2) == told


@pytest.mark.parametrize(("members", "told"), [(0, 1.0), (10, 1.0), (99_000, 55.52), (4_000_000, 100.0)])
def test_myanimelist_counts_members(members: int, told: float) -> None:
    assert round(popularity.of_members(members), 2) == told


def test_a_character_is_less_known_than_the_one_before() -> None:
    told = [round(popularity.of_billing(80.0, place), 2) for place in (0, 1, 30, 144, 400)]
    assert told == [80.0, 77.6, 32.08, 1.0, 1.0]
