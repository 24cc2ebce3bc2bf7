"""The edge process's environment."""

from pydantic import Field, FilePath

from runtime.contract import descriptor_set_path
from runtime.settings import ProcessSettings


class EdgeSettings(ProcessSettings):
    """What the edge process is told."""

    descriptors: FilePath = Field(default_factory=descriptor_set_path, description="the contract's descriptor set")
