"""Whether a stack answers, asked as any client would: GET /healthz on the public port."""

import http.client

TIMEOUT_SECONDS = 2.0


def healthz(host: str, port: int) -> int | None:
    """The status of GET /healthz, or None where nobody answers. Blocks for at most a few seconds."""
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
