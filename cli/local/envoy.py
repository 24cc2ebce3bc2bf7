"""Envoy out of its wheel, with nothing but a bootstrap: the control plane tells it the rest."""

import json
import string
from collections.abc import Mapping
from pathlib import Path

from cli.local.failure import Failure
from cli.local.process import Launch

TEMPLATE = Path(__file__).parents[2] / "envoy" / "bootstrap.yaml"


def bootstrap(template: str, *, control_plane: str, certificates: Path, admin_socket: Path, trust_domain: str) -> str:
    """The bootstrap for a control plane at host:port. The values stand inside quotes in the template."""
    host, _, port = control_plane.rpartition(":")
    values: Mapping[str, str] = {
        "NODE_ID": "edge-local",
        "CONTROL_PLANE_HOST": host.strip("[]"),
        "CONTROL_PLANE_PORT": port,
        "TRUST_DOMAIN": trust_domain,
        "CERTIFICATE": str(certificates / "edge" / "cert.pem"),
        "KEY": str(certificates / "edge" / "key.pem"),
        "AUTHORITY": str(certificates / "edge" / "ca.pem"),
        "ADMIN_SOCKET": str(admin_socket),
    }
    return string.Template(template).substitute({name: json.dumps(value)[1:-1] for name, value in values.items()})


def launch(binary: Path, *, config: Path, control_plane: str, certificates: Path, sockets: Path) -> Launch:
    """Writes the bootstrap to `config` and gives the command that reads it."""
    try:
        template = TEMPLATE.read_text()
    except OSError as error:
        raise Failure(f"{TEMPLATE} cannot be read: run this from a full checkout.") from error
    admin_socket = sockets / "envoy.sock"
    admin_socket.unlink(missing_ok=True)
    config.write_text(
        bootstrap(
            template,
            control_plane=control_plane,
            certificates=certificates,
            admin_socket=admin_socket,
            trust_domain="scenemesh.local",
        )
    )
    options = ("--config-path", str(config), "--use-dynamic-base-id", "--concurrency", "1", "--log-level", "warning")
    # What a filter says of a refused request has its whole target, and a query may hold what is nobody's to read. The
    # access log has the refusal as well, without the query.
    silenced = ("--component-log-level", "http:critical")
    return Launch(command=(str(binary), *options, *silenced), environment={})
