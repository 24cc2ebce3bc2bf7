"""The environments of the processes: built from what is named here, so that a shell's leftovers change nothing."""

from collections.abc import Mapping

# For every process of ours.
NAMES = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
PREFIXES = ("OTEL_", "SCENEMESH_")
# For the one that talks to models.
MODEL_PREFIXES = ("ANTHROPIC_", "OPENAI_", "AZURE_OPENAI_", "GROQ_", "OPENROUTER_")
MODEL_SUFFIXES = ("_API_KEY",)
# For the one that takes payments: of Stripe's only where its key is, the pretend one has another.
STRIPE_KEY = "STRIPE_SECRET_KEY"
STRIPE_PREFIX = "STRIPE_"
PAYMENT_PREFIXES = ("REVENUECAT_", "LEMON_SQUEEZY_", "CRYPTOMUS_")
# For those that talk to services on the web, and for the way out only: gRPC would use a proxy between our own, too.
PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
PROXY_EXCEPTIONS = ("no_proxy", "NO_PROXY", "no_grpc_proxy")
LOCAL_HOSTS = "127.0.0.1,localhost,::1"

# Any of these means that somebody has a model of their own.
OWN_MODEL = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_BASE_URL",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "AZURE_OPENAI_BASE_URL",
    "GEMINI_API_KEY",
    "DEEPSEEK_API_KEY",
    "GROQ_API_KEY",
    "OPENROUTER_API_KEY",
)


def base(shell: Mapping[str, str]) -> dict[str, str]:
    """What every process of ours gets."""
    passed = {name: value for name, value in shell.items() if name in NAMES or name.startswith(PREFIXES)}
    return {**passed, "PYTHONUNBUFFERED": "1"}


def for_models(shell: Mapping[str, str]) -> dict[str, str]:
    """What the process that talks to models gets beside that."""
    keys = {
        name: value
        for name, value in shell.items()
        if (name.startswith(MODEL_PREFIXES) or name.endswith(MODEL_SUFFIXES)) and not name.startswith(PAYMENT_PREFIXES)
    }
    return {**keys, **outward(shell)}


def for_payments(shell: Mapping[str, str]) -> dict[str, str]:
    """What the process that takes payments gets beside that."""
    prefixes = PAYMENT_PREFIXES if needs_pretend_stripe(shell) else (*PAYMENT_PREFIXES, STRIPE_PREFIX)
    return {**{name: value for name, value in shell.items() if name.startswith(prefixes)}, **outward(shell)}


def needs_pretend_stripe(shell: Mapping[str, str]) -> bool:
    """Whether nobody has a key of Stripe's, nor wants real money to move by other providers alone."""
    return not shell.get(STRIPE_KEY) and shell.get("SCENEMESH_BILLING_ENVIRONMENT") != "live"


def outward(shell: Mapping[str, str]) -> dict[str, str]:
    """What a process gets that talks to services on the web, beside that."""
    proxies = {name: shell[name] for name in PROXIES if shell.get(name)}
    if proxies:
        exceptions = ",".join(filter(None, (shell.get("no_proxy") or shell.get("NO_PROXY"), LOCAL_HOSTS)))
        proxies |= dict.fromkeys(PROXY_EXCEPTIONS, exceptions)
    return proxies


def needs_embedded_model(shell: Mapping[str, str]) -> bool:
    """Whether nobody has said where another model is."""
    return not any(shell.get(name) for name in OWN_MODEL)
