"""The control plane's environment."""

import os
from pathlib import Path

from pydantic import Field

from runtime.contract import descriptor_set_path
from runtime.settings import ProcessSettings


class MeshSettings(ProcessSettings):
    """What the control plane is told, beside what every process is."""

    issuers: str = Field(min_length=1, description="TOML files of the accepted token issuers, separated as in PATH")
    edge_listen: str = Field(pattern=r"^.+:\d{1,5}$", description="host:port of Envoy's public listener")
    cors_origins: str = Field(
        "http://localhost:5173,http://localhost:3000", description="web origins that may read answers, comma separated"
    )
    descriptors: Path = Field(default_factory=descriptor_set_path, description="the contract's descriptor set")

    @property
    def issuer_files(self) -> tuple[Path, ...]:
        """The issuers' files, one by one."""
        return tuple(Path(file) for file in self.issuers.split(os.pathsep))

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins, one by one."""
        return tuple(origin.strip() for origin in self.cors_origins.split(",") if origin.strip())
