"""What holds for every tier."""

import os

# Tests start processes while gRPC's threads run. Its fork handlers can abort the child before it has become another
# program, and a child of ours always becomes one. Read when gRPC is first imported, so it stands before any import.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
os.environ["GRPC_VERBOSITY"] = "ERROR"

from hypothesis import settings

# No test asserts a time, and a loaded machine is slow now and then.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
