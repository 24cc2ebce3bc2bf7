import pytest

from services.search_svc.sources.tmdb.roles import Called, called


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("Trinity", Called("Trinity")),
        ("  Agent \n Smith ", Called("Agent Smith")),
        ("Tony Stark / Iron Man", Called("Tony Stark", ("Iron Man",))),
        ("Bruce Wayne/Batman", Called("Bruce Wayne", ("Batman",))),
        ("Simba (voice)", Called("Simba")),
        ("Logan / Wolverine (uncredited)", Called("Logan", ("Wolverine",))),
        ("Vandal Savage (voice) / Count Vertigo (voice)", Called("Vandal Savage", ("Count Vertigo",))),
        ("T-800 (Model 101)", Called("T-800")),
        ("월주(아역)", Called("월주")),
        ("Jane “Eleven” Hopper", Called("Jane Hopper", ("Eleven",))),
        ("Tyrion 'The Halfman' Lannister", Called("Tyrion Lannister", ("The Halfman",))),
        ("Father O'Neil's Son's Friend", Called("Father O'Neil's Son's Friend")),
        ('"Olo"', Called("Olo")),
        ("Peter Parker / Spider-Man / Self", Called("Peter Parker", ("Spider-Man",))),
        ("Sam / SAM / sam", Called("Sam")),
        ("Self-Made Man", Called("Self-Made Man")),
        ("Number 6", Called("Number 6")),
        ("???", Called("???")),
    ],
)
def test_a_role_is_somebody(text: str, who: Called) -> None:
    assert called(text) == who


@pytest.mark.parametrize(
    "text",
    [
        *(None, "", "  ", "(voice)", "\0"),
        *("Self", "Self - Host", "Himself (archive footage)", "Self / Various"),
        *("Additional Voices", "Additional Voices (voice)", "Various Roles", "Cop #2", "N/A"),
    ],
)
def test_a_role_is_nobody(text: str | None) -> None:
    assert called(text) is None


def test_an_endless_role_is_read_as_far_as_it_counts() -> None:
    who = called(" / ".join(f"Person {number} 'the {number}th' of many" for number in range(100_000)))
    assert who is not None
    assert (who.name, len(who.aliases)) == ("Person 0 of many", 20)
