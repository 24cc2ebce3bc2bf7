"""The control plane's environment."""

from pathlib import Path

from pydantic import Field

from runtime.contract import descriptor_set_path
from runtime.settings import ProcessSettings


class MeshSettings(ProcessSettings):
    """What the control plane is told, beside what every process is."""

    issuers: Path = Field(description="TOML file of the token issuers that the edge accepts")
    edge_listen: str = Field(pattern=r"^.+:\d{1,5}$", description="host:port of Envoy's public listener")
    cors_origins: str = Field(
        "http://localhost:5173,http://localhost:3000", description="web origins that may read answers, comma separated"
    )
    descriptors: Path = Field(default_factory=descriptor_set_path, description="the contract's descriptor set")

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins, one by one."""
        return tuple(origin.strip() for origin in self.cors_origins.split(",") if origin.strip())
