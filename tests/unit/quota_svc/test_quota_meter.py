import pytest

from runtime.errors import InvalidArgument
from services.quota_svc.domain.meter import Meter, MeterTable

CHAT, VIDEO = Meter("chat", "chat turns", 80), Meter("video", "videos", 90)
TABLE = MeterTable([VIDEO, CHAT])


def test_a_meter_is_found_by_its_name() -> None:
    assert (TABLE.meter("video"), "video" in TABLE, "story" in TABLE) == (VIDEO, True, False)


def test_an_unknown_meter_is_refused_with_the_names_of_those_that_there_are() -> None:
    with pytest.raises(InvalidArgument) as refusal:
        TABLE.meter("story")
    assert refusal.value.reason == "METER_UNKNOWN"
    assert refusal.value.message == "There is no meter 'story'; there are: chat, video."
