"""A process's own certificate: mutual TLS for its server and its channels, read anew when the files change."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc


@dataclass(frozen=True)
class Certificates:
    """A directory with `cert.pem`, `key.pem` and the authority's `ca.pem`."""

    directory: Path

    @property
    def certificate(self) -> Path:
        return self.directory / "cert.pem"

    @property
    def key(self) -> Path:
        return self.directory / "key.pem"

    @property
    def authority(self) -> Path:
        return self.directory / "ca.pem"

    def server_credentials(self) -> grpc.ServerCredentials:
        """Credentials that ask every caller for a certificate of the same authority."""
        seen = self._modified()

        def renewed() -> Any:
            nonlocal seen
            if (now := self._modified()) == seen:
                return None
            seen = now
            return self._configuration()

        return grpc.dynamic_ssl_server_credentials(self._configuration(), renewed, True)

    def _configuration(self) -> grpc.ServerCertificateConfiguration:
        pair = (self.key.read_bytes(), self.certificate.read_bytes())
        return grpc.ssl_server_certificate_configuration([pair], root_certificates=self.authority.read_bytes())

    def _modified(self) -> int:
        return self.certificate.stat().st_mtime_ns
