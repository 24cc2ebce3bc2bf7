import os
from decimal import Decimal
from pathlib import Path

import pytest

from services.chat_svc.domain.audio import AudioModel, Task, pieces, voice_of
from services.chat_svc.models.audio_models import audible
from services.chat_svc.models.audio_roster import AudioRoster
from services.chat_svc.models.models import MODELS, ModelsError, reached
from services.chat_svc.providers.audio import Audio

ENTRY = """
[[audio]]
id = "ears"
task = "transcription"
model = "whisper"
key_variable = "EARS_API_KEY"
"""
KEYS = {"EARS_API_KEY": "k"}


def ids(**environment: str) -> list[str]:
    return [model.id for model, _ in audible(MODELS, environment)]


def faults(directory: Path, text: str) -> list[str]:
    file = directory / "models.toml"
    file.write_text(text)
    with pytest.raises(ModelsError) as refusal:
        audible(file, {"EARS_URL": "nowhere"})
    return refusal.value.faults


def test_a_model_counts_when_its_key_or_its_server_is_there() -> None:
    assert ids() == []
    assert ids(OPENAI_API_KEY="k") == ["gpt-transcribe", "gpt-4o-mini-tts"]
    assert ids(OPENAI_API_KEY="k", OPENAI_BASE_URL="http://m/v1") == []
    assert ids(GROQ_API_KEY="k") == ["groq-whisper"]
    assert ids(OPENAI_TRANSCRIPTION_BASE_URL="http://m/v1") == ["transcription-compatible"]
    assert ids(OPENAI_SPEECH_BASE_URL="http://m/v1", OPENAI_BASE_URL="http://m/v1") == ["speech-compatible"]


def test_an_entry_says_what_a_model_is() -> None:
    environment = {"OPENAI_TRANSCRIPTION_BASE_URL": "http://m/v1", "OPENAI_TRANSCRIPTION_MODEL": "large"}
    ears = AudioModel("transcription-compatible", Task.TRANSCRIPTION, "large", "http://m/v1", told_length=True)
    assert audible(MODELS, environment) == ((ears, ""),)
    ((speaker, key),) = audible(MODELS, {"OPENAI_API_KEY": "k"})[1:]
    assert (speaker.task, speaker.voices[0], speaker.price, key) == (Task.SPEECH, "alloy", Decimal("0.015"), "k")


def test_the_models_that_answer_are_read_from_the_same_file() -> None:
    assert [model.id for model, _ in reached(MODELS, {"GROQ_API_KEY": "k"}).models] == ["groq"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ENTRY + ENTRY, ["models.toml: audio.ears: stands there more than once"]),
        (
            ENTRY.replace('key_variable = "EARS_API_KEY"', 'base_url_variable = "EARS_URL"'),
            ["models.toml: audio.ears: EARS_URL: Input should be a valid URL, relative URL without a base"],
        ),
        (ENTRY + "pitch = 3\n", ["models.toml: audio.ears.pitch: Extra inputs are not permitted"]),
        (
            ENTRY.replace("transcription", "speech"),
            ["models.toml: audio.ears: Value error, needs voices if it speaks, and none if it hears"],
        ),
        (
            ENTRY.replace('key_variable = "EARS_API_KEY"', 'base_url_variable = "V"\nbase_url = "http://m/v1"'),
            ["models.toml: audio.ears: Value error, takes either a base_url or a base_url_variable"],
        ),
        ("audio = 3\n", ["models.toml: audio: Input should be a valid list"]),
    ],
)
def test_a_file_with_faults_is_refused_and_they_are_named(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert faults(tmp_path, text) == expected


async def test_a_change_of_the_file_counts_at_once_and_one_with_faults_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text(ENTRY)
    async with AudioRoster(file, KEYS) as roster:
        assert [one.model.id for one in roster.able(Task.TRANSCRIPTION)] == ["ears"]
        assert roster.able(Task.SPEECH) == ()
        for text, expected in ((ENTRY.replace("ears", "others"), "others"), ("[[audio]]\n", "others"), (ENTRY, "ears")):
            file.write_text(text)
            assert [one.model.id for one in roster.able(Task.TRANSCRIPTION)] == [expected]


async def test_who_was_opened_for_a_file_is_asked_until_it_changes_and_closed_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, closed, close = tmp_path / "models.toml", list[Audio](), Audio.close

    async def noted(one: Audio) -> None:
        closed.append(one)
        await close(one)

    monkeypatch.setattr(Audio, "close", noted)
    file.write_text(ENTRY)
    async with AudioRoster(file, KEYS) as roster:
        (before,) = roster.able(Task.TRANSCRIPTION)
        file.write_text(ENTRY.replace("ears", "others"))
        os.utime(file, ns=(1_000, 1_000))
        (after,) = roster.able(Task.TRANSCRIPTION)
        assert roster.able(Task.TRANSCRIPTION) == (after,)
        assert closed == []
    assert closed == [after, before]


def test_a_character_has_always_the_same_voice_and_not_all_have_one() -> None:
    voices = ("alloy", "echo", "nova")
    characters = [f"characters/character-{number}" for number in range(20)]
    assert [voice_of(one, voices) for one in characters] == [voice_of(one, voices) for one in characters]
    assert {voice_of(one, voices) for one in characters} == set(voices)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Short.", ["Short."]),
        ("One two. Three four. Five", ["One two. ", "Three four. ", "Five"]),
        ("One two three four five", ["One two ", "three four ", "five"]),
        ("Onetwothreefourfive", ["Onetwothreef", "ourfive"]),
        ("   ", []),
    ],
)
def test_a_long_text_is_cut_where_a_speaker_would_breathe(text: str, expected: list[str]) -> None:
    assert pieces(text, 12) == expected
