from services.chat_svc.domain.fault import NotLetIn
from services.chat_svc.domain.health import NOT_LET_IN_REST_SECONDS, Health, Speed, Standing
from services.chat_svc.domain.listing import Listed, listing
from services.chat_svc.domain.model import Class, classes
from tests.unit.chat_svc.models import model

NOW = 1_000.0
BARRED, DEAR, WELL = model("barred"), model("dear", Class.PREMIUM, "10"), model("well")


def _health() -> dict[str, Health]:
    barred, dear, well = Health(), Health(), Health()
    barred.failed(barred.asked(NOW), NotLetIn("HTTP 401"), NOW)
    well.answered(well.asked(NOW), Speed(0.5, 80.0), NOW)
    return {"barred": barred, "dear": dear, "well": well}


def test_models_are_listed_best_standing_first_with_how_they_do() -> None:
    assert listing([BARRED, DEAR, WELL], _health(), classes(premium=True), NOW + 10) == (
        Listed(WELL, True, Standing.CLOSED, 0.0, Speed(0.5, 80.0), 1, 0),
        Listed(DEAR, True, Standing.CLOSED, 0.0, None, 0, 0),
        Listed(BARRED, True, Standing.OPEN, NOT_LET_IN_REST_SECONDS - 10, None, 0, 1),
    )


def test_what_the_caller_cannot_ask_is_listed_too() -> None:
    found = listing([BARRED, DEAR, WELL], _health(), classes(premium=False), NOW)
    assert {one.model.id: one.entitled for one in found} == {"well": True, "barred": True, "dear": False}


def test_without_models_nothing_is_listed() -> None:
    assert listing([], {}, classes(premium=True), NOW) == ()
